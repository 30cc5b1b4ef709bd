//! What valid objects may ask for that the embedded node does not do: refused by name, since a pod that silently ran
//! without it would be worse. Pure.

use std::{any::Any, fmt};

use resources::{
    DynObject,
    builtin::{Container, Deployment, Pod, PodSpec, ReplicaSet},
    capability,
    serving::{Configuration, Revision, Service},
};

/// What is asked for in vain: where it stands, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    path: String,
    what: String,
}

impl Unsupported {
    fn new(path: String, what: impl Into<String>) -> Self {
        Self { path, what: what.into() }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, what } = self;
        write!(f, "{path}: {what} is not something that the embedded node does yet; leave it out")
    }
}

/// The first thing in an object that the embedded node does not do.
pub(super) fn unsupported(object: &dyn DynObject) -> Option<Unsupported> {
    let (prefix, spec) = pod_spec(object)?;
    of_pod(prefix, &spec).or_else(|| {
        let lists =
            [("containers", Some(&spec.containers)), ("initContainers", spec.init_containers.as_ref())];
        let mut all = lists.into_iter().flat_map(|(list, containers)| {
            containers
                .into_iter()
                .flatten()
                .enumerate()
                .map(move |(index, container)| (list, index, container))
        });
        all.find_map(|(list, index, container)| of_container(&format!("{prefix}.{list}[{index}]"), container))
    })
}

fn of_pod(prefix: &str, spec: &PodSpec) -> Option<Unsupported> {
    let switch =
        |on: Option<bool>, name: &'static str| (on == Some(true)).then_some((name, "sharing namespaces"));
    let (field, what) = switch(spec.host_network, "hostNetwork")
        .or_else(|| switch(spec.host_pid, "hostPID"))
        .or_else(|| switch(spec.host_ipc, "hostIPC"))
        .or_else(|| switch(spec.share_process_namespace, "shareProcessNamespace"))
        .or_else(|| spec.runtime_class_name.is_some().then_some(("runtimeClassName", "a choice of runtimes")))
        .or_else(|| spec.dns_config.is_some().then_some(("dnsConfig", "DNS in pods")))?;
    Some(Unsupported::new(format!("{prefix}.{field}"), what))
}

fn of_container(path: &str, container: &Container) -> Option<Unsupported> {
    probe(path, container).or_else(|| hook(path, container)).or_else(|| privilege(path, container))
}

fn probe(path: &str, container: &Container) -> Option<Unsupported> {
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    probes.into_iter().find_map(|(name, probe)| {
        let kind = match probe.as_ref().map(|probe| (&probe.exec, &probe.grpc))? {
            (Some(_), _) => "exec",
            (_, Some(_)) => "grpc",
            _ => return None,
        };
        Some(Unsupported::new(format!("{path}.{name}.{kind}"), "a probe of this kind"))
    })
}

fn hook(path: &str, container: &Container) -> Option<Unsupported> {
    let lifecycle = container.lifecycle.as_ref()?;
    let field = match (&lifecycle.post_start, &lifecycle.pre_stop) {
        (Some(_), _) => "postStart",
        (_, Some(hook)) if hook.exec.is_some() => "preStop.exec",
        (_, Some(hook)) if hook.tcp_socket.is_some() => "preStop.tcpSocket",
        _ => return None,
    };
    Some(Unsupported::new(format!("{path}.lifecycle.{field}"), "a hook of this kind"))
}

fn privilege(path: &str, container: &Container) -> Option<Unsupported> {
    let context = container.security_context.as_ref()?;
    let path = format!("{path}.securityContext");
    if context.privileged == Some(true) {
        return Some(Unsupported::new(
            format!("{path}.privileged"),
            "a container that has the whole machine",
        ));
    }
    let added = context.capabilities.as_ref().and_then(|capabilities| capabilities.add.as_ref());
    added.into_iter().flatten().enumerate().find_map(|(index, name)| {
        let why = capability::reaches_beyond(name)?;
        let what = format!("giving a container {name}, which reaches beyond it ({why}),");
        Some(Unsupported::new(format!("{path}.capabilities.add[{index}]"), what))
    })
}

/// The pod that an object describes, and where in it that stands.
fn pod_spec(object: &dyn DynObject) -> Option<(&'static str, PodSpec)> {
    let any: &dyn Any = object;
    if let Some(pod) = any.downcast_ref::<Pod>() {
        return Some(("spec", pod.spec.clone()?));
    }
    if let Some(deployment) = any.downcast_ref::<Deployment>() {
        return Some(("spec.template.spec", deployment.spec.as_ref()?.template.spec.clone()?));
    }
    if let Some(set) = any.downcast_ref::<ReplicaSet>() {
        return Some(("spec.template.spec", set.spec.as_ref()?.template.as_ref()?.spec.clone()?));
    }
    if let Some(service) = any.downcast_ref::<Service>() {
        return Some(("spec.template.spec", service.spec.template.spec.pod_spec()));
    }
    if let Some(configuration) = any.downcast_ref::<Configuration>() {
        return Some(("spec.template.spec", configuration.spec.template.spec.pod_spec()));
    }
    let revision = any.downcast_ref::<Revision>()?;
    Some(("spec", revision.spec.pod_spec()))
}

#[cfg(test)]
mod tests;
