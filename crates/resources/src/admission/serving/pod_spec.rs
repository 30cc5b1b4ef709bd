//! The pod of a Revision: what of Kubernetes' PodSpec may be set, by feature.
//!
//! Upstream: serving, `pkg/apis/serving/{fieldmask,k8s_validation}.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::{container, container::Role, pod_security, volume};
use crate::{
    admission::{KnativeErrors, Path},
    builtin::Container,
    config::{Configs, Features},
    names::dns,
    serving::RevisionSpec,
};

/// What of a pod its containers are checked against.
pub(super) struct Pod<'a> {
    pub(super) volumes: BTreeMap<&'a str, &'a crate::builtin::Volume>,
    pub(super) features: &'a Features,
    /// The name of the port that takes requests; a probe may name it.
    pub(super) port_name: &'a str,
}

/// Says what is wrong with a pod.
pub(super) fn validate(spec: &RevisionSpec, path: Path<'_>, configs: &Configs, errors: &mut KnativeErrors) {
    let features = &configs.features;
    check_allowed(spec, path, features, errors);
    if let Some(security) = &spec.security_context {
        pod_security::validate_pod(security, path.child("securityContext"), features, errors);
    }
    volume::validate_all(spec, path.child("volumes"), features, errors);
    let port_name = check_ports(&spec.containers, path, errors);
    let pod = Pod {
        volumes: spec.volumes.iter().map(|volume| (volume.name.as_str(), volume)).collect(),
        features,
        port_name,
    };
    validate_containers(spec, &pod, path, errors);
    validate_init_containers(spec, &pod, path, errors);
    if let Some(name) = spec.service_account_name.as_deref().filter(|name| !name.is_empty()) {
        for what in dns::subdomain(name) {
            errors.invalid_because(name, path.child("serviceAccountName"), what);
        }
    }
}

/// What is allowed but unwise.
pub(super) fn warn(spec: &RevisionSpec, path: Path<'_>, configs: &Configs, errors: &mut KnativeErrors) {
    if configs.features.secures_pods() {
        return;
    }
    for (field, containers) in [("containers", &spec.containers), ("initContainers", &spec.init_containers)] {
        for (index, container) in containers.iter().enumerate() {
            let field = path.child(field);
            let at = field.index(index);
            pod_security::warn(
                container,
                spec.security_context.as_ref(),
                at.child("securityContext"),
                errors,
            );
        }
    }
}

fn check_allowed(spec: &RevisionSpec, path: Path<'_>, features: &Features, errors: &mut KnativeErrors) {
    let security = features.security_context.is_allowed() || features.secure_pod_defaults.is_allowed();
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let fields = [
        // Only to say no: there is nothing to mount then.
        ("automountServiceAccountToken", spec.automount_service_account_token == Some(true), false),
        ("affinity", spec.affinity.is_some(), features.affinity.is_allowed()),
        (
            "topologySpreadConstraints",
            !spec.topology_spread_constraints.is_empty(),
            features.topology_spread_constraints.is_allowed(),
        ),
        ("hostAliases", !spec.host_aliases.is_empty(), features.host_aliases.is_allowed()),
        ("nodeSelector", spec.node_selector.is_some(), features.node_selector.is_allowed()),
        ("runtimeClassName", is_set(&spec.runtime_class_name), features.runtime_class_name.is_allowed()),
        ("tolerations", !spec.tolerations.is_empty(), features.tolerations.is_allowed()),
        ("securityContext", spec.security_context.is_some(), security),
        (
            "shareProcessNamespace",
            spec.share_process_namespace.is_some(),
            features.share_process_namespace.is_allowed(),
        ),
        ("priorityClassName", is_set(&spec.priority_class_name), features.priority_class_name.is_allowed()),
        ("schedulerName", is_set(&spec.scheduler_name), features.scheduler_name.is_allowed()),
        ("initContainers", !spec.init_containers.is_empty(), features.init_containers.is_allowed()),
        ("dnsPolicy", is_set(&spec.dns_policy), features.dns_policy.is_allowed()),
        ("dnsConfig", spec.dns_config.is_some(), features.dns_config.is_allowed()),
        ("hostIPC", spec.host_ipc == Some(true), features.host_ipc.is_allowed()),
        ("hostPID", spec.host_pid == Some(true), features.host_pid.is_allowed()),
        ("hostNetwork", spec.host_network == Some(true), features.host_network.is_allowed()),
    ];
    for (field, set, allowed) in fields {
        if set && !allowed {
            errors.disallowed(path.child(field));
        }
    }
}

/// One port in the whole pod takes the requests. Returns its name.
fn check_ports<'a>(containers: &'a [Container], path: Path<'_>, errors: &mut KnativeErrors) -> &'a str {
    let mut ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
    let first = ports.next();
    let at = path.child("containers[*]");
    if first.is_none() && containers.len() > 1 {
        errors.missing(at.child("ports"));
    }
    if ports.next().is_some() {
        let details = "Only a single port is allowed across all containers";
        errors.add("more than one container port is set", &[at.child("ports")], details);
    }
    first.and_then(|port| port.name.as_deref()).filter(|name| !name.is_empty()).unwrap_or("http")
}

fn validate_containers(spec: &RevisionSpec, pod: &Pod<'_>, path: Path<'_>, errors: &mut KnativeErrors) {
    let containers = path.child("containers");
    match spec.containers.as_slice() {
        [] => errors.missing(containers),
        [only] => container::validate(only, Role::User, pod, containers.index(0), errors),
        several if !pod.features.multi_container.is_enabled() => {
            let message = format!("multi-container is off, but found {} containers", several.len());
            errors.add(message, &[containers], "");
        }
        several => {
            let mut names = BTreeSet::new();
            for (index, container) in several.iter().enumerate() {
                let at = containers.index(index);
                if !names.insert(&container.name) {
                    let message = format!("duplicate container name {:?}", container.name);
                    errors.add(message, &[at.child("name")], "");
                }
                let has_port = container.ports.as_ref().is_some_and(|ports| !ports.is_empty());
                let role = if has_port { Role::User } else { Role::Sidecar };
                container::validate(container, role, pod, at, errors);
            }
        }
    }
}

fn validate_init_containers(spec: &RevisionSpec, pod: &Pod<'_>, path: Path<'_>, errors: &mut KnativeErrors) {
    let at = path.child("initContainers");
    if spec.init_containers.is_empty() {
        return;
    }
    if !pod.features.init_containers.is_enabled() {
        let count = spec.init_containers.len();
        let message =
            format!("pod spec support for init-containers is off, but found {count} init containers");
        errors.add(message, &[at], "");
        return;
    }
    let mut names: BTreeSet<_> = spec.containers.iter().map(|container| &container.name).collect();
    for (index, container) in spec.init_containers.iter().enumerate() {
        let at = at.index(index);
        if !names.insert(&container.name) {
            errors.add(format!("duplicate container name {:?}", container.name), &[at.child("name")], "");
        }
        container::validate(container, Role::Init, pod, at, errors);
    }
}
