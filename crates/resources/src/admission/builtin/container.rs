//! One container of a pod.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{check_one_of, invalid_each};
use crate::{
    admission::{FieldError, path::Path},
    builtin::{
        AppArmorProfile, Container, ContainerPort, EnvVar, ResourceRequirements, SELinuxOptions,
        SeccompProfile, SecurityContext, VolumeMount, WindowsSecurityContextOptions,
    },
    names::dns,
    quantity,
};

/// Says what is wrong with a container.
pub(super) fn validate(
    container: &Container,
    volumes: &BTreeSet<&str>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let name = path.child("name");
    if container.name.is_empty() {
        errors.push(FieldError::required(&name, ""));
    } else {
        invalid_each(dns::label(&container.name), &container.name, &name, errors);
    }
    let image = container.image.as_deref().unwrap_or_default();
    if image.is_empty() {
        errors.push(FieldError::required(&path.child("image"), ""));
    }
    let policy = container.termination_message_policy.as_deref();
    let at = path.child("terminationMessagePolicy");
    check_one_of(policy, &["File", "FallbackToLogsOnError"], &at, errors);
    check_ports(container.ports.as_deref().unwrap_or_default(), &path.child("ports"), errors);
    check_env(container, path, errors);
    check_mounts(container.volume_mounts.as_deref().unwrap_or_default(), volumes, path, errors);
    let policy = container.image_pull_policy.as_deref();
    check_one_of(policy, &["Always", "IfNotPresent", "Never"], &path.child("imagePullPolicy"), errors);
    if let Some(resources) = &container.resources {
        check_resources(resources, &path.child("resources"), errors);
    }
    if let Some(security) = &container.security_context {
        check_security(security, &path.child("securityContext"), errors);
    }
}

/// What is wrong with the images of a pod's containers and not with those of a template's.
pub(super) fn check_images(containers: &[Container], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (index, container) in containers.iter().enumerate() {
        let image = container.image.as_deref().unwrap_or_default();
        if image.trim() != image {
            let why = "must not have leading or trailing whitespace";
            errors.push(FieldError::invalid(&path.index(index).child("image"), image, why));
        }
    }
}

fn check_ports(ports: &[ContainerPort], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let at = path.child("name");
            let wrong = dns::port_name(name);
            if wrong.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(&at, name));
            }
            invalid_each(wrong, name, &at, errors);
        }
        let at = path.child("containerPort");
        if port.container_port == 0 {
            errors.push(FieldError::required(&at, ""));
        } else {
            let wrong = dns::port(port.container_port.into());
            errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, port.container_port, why)));
        }
        check_one_of(port.protocol.as_deref(), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
    }
}

fn check_env(container: &Container, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("env");
    for (index, variable) in container.env.iter().flatten().enumerate() {
        check_variable(variable, &at.index(index), errors);
    }
    let at = path.child("envFrom");
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        let at = at.index(index);
        let names = [
            ("configMapRef", source.config_map_ref.as_ref().map(|source| &source.name)),
            ("secretRef", source.secret_ref.as_ref().map(|source| &source.name)),
        ];
        match names.iter().filter(|(_, name)| name.is_some()).count() {
            0 => errors.push(FieldError::invalid(
                &at,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            )),
            1 => {}
            _ => errors.push(FieldError::invalid(
                &at,
                "",
                "may not have more than one field specified at a time",
            )),
        }
        for (field, name) in names {
            if name.is_some_and(String::is_empty) {
                let source = at.child(field);
                errors.push(FieldError::required(&source.child("name"), ""));
            }
        }
    }
}

fn check_variable(variable: &EnvVar, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("name");
    if variable.name.is_empty() {
        errors.push(FieldError::required(&at, ""));
    } else {
        invalid_each(dns::env_name(&variable.name), &variable.name, &at, errors);
    }
    let Some(source) = &variable.value_from else { return };
    let at = path.child("valueFrom");
    if let Some(field) = &source.field_ref {
        check_field(&field.field_path, &at.child("fieldRef"), errors);
    }
    let sources = [
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.file_key_ref.is_some(),
    ];
    let count = sources.into_iter().filter(|set| *set).count();
    if count == 0 {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        errors.push(FieldError::invalid(&at, "", why));
    } else if variable.value.as_ref().is_some_and(|value| !value.is_empty()) {
        errors.push(FieldError::invalid(&at, "", "may not be specified when `value` is not empty"));
    } else if count > 1 {
        errors.push(FieldError::invalid(&at, "", "may not have more than one field specified at a time"));
    }
}

/// Fields of a pod that a variable can be of.
const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Others, which have names all the same.
const OTHER_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

/// Upstream: `validateObjectFieldSelector`.
fn check_field(field: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("fieldPath");
    let key = field.split_once("['").and_then(|(of, key)| Some((of, key.strip_suffix("']")?)));
    match (field, key) {
        ("", _) => errors.push(FieldError::required(&at, "")),
        (_, Some(("metadata.annotations", key))) => {
            invalid_each(dns::qualified_name(&key.to_lowercase()), key, path, errors);
        }
        (_, Some(("metadata.labels", key))) => invalid_each(dns::qualified_name(key), key, path, errors),
        (field, None) if VARIABLE_FIELDS.contains(&field) => {}
        (field, None) if OTHER_FIELDS.contains(&field) => {
            errors.push(FieldError::not_supported(&at, field, &VARIABLE_FIELDS));
        }
        (field, _) => {
            let why = format!("error converting fieldPath: field label not supported: {field}");
            errors.push(FieldError::invalid(&at, field, why));
        }
    }
}

fn check_mounts(
    mounts: &[VolumeMount],
    volumes: &BTreeSet<&str>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let path = path.child("volumeMounts");
    let mut paths = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = path.index(index);
        let at = path.child("name");
        if mount.name.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if !volumes.contains(mount.name.as_str()) {
            errors.push(FieldError::not_found(&at, &mount.name));
        }
        let at = path.child("mountPath");
        if mount.mount_path.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if !paths.insert(&mount.mount_path) {
            errors.push(FieldError::invalid(&at, &mount.mount_path, "must be unique"));
        }
        if let Some(sub_path) = &mount.sub_path {
            let at = path.child("subPath");
            if sub_path.starts_with('/') {
                errors.push(FieldError::invalid(&at, sub_path, "must be a relative path"));
            } else if sub_path.split('/').any(|part| part == "..") {
                errors.push(FieldError::invalid(&at, sub_path, "must not contain '..'"));
            }
        }
    }
}

fn check_resources(resources: &ResourceRequirements, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (field, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
        let path = path.child(field);
        for (resource, amount) in amounts.iter().flatten() {
            let at = path.key(resource);
            match quantity::nanos(&amount.0) {
                None => errors.push(FieldError::invalid(
                    &at,
                    &amount.0,
                    "must be a quantity, such as 100m or 128Mi",
                )),
                Some(..0) => {
                    errors.push(FieldError::invalid(&at, &amount.0, "must be greater than or equal to 0"));
                }
                Some(_) => {}
            }
        }
    }
    let path = path.child("requests");
    for (resource, request) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(resource));
        if let (Some(limit), Some(amount)) = (limit, quantity::nanos(&request.0))
            && quantity::nanos(&limit.0).is_some_and(|limit| amount > limit)
        {
            let why = format!("must be less than or equal to {resource} limit of {}", limit.0);
            errors.push(FieldError::invalid(&path, &request.0, why));
        }
    }
}

fn check_security(security: &SecurityContext, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (field, id) in [("runAsUser", security.run_as_user), ("runAsGroup", security.run_as_group)] {
        if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
            let why = "must be between 0 and 2147483647, inclusive";
            errors.push(FieldError::invalid(&path.child(field), id, why));
        }
    }
    if security.privileged == Some(true) && security.allow_privilege_escalation == Some(false) {
        let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.push(FieldError::invalid(path, Shown::of(security), why));
    }
}

/// A security context as upstream shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    capabilities: Option<ShownCapabilities<'a>>,
    privileged: Option<bool>,
    #[serde(rename = "SELinuxOptions")]
    se_linux_options: &'a Option<SELinuxOptions>,
    windows_options: &'a Option<WindowsSecurityContextOptions>,
    run_as_user: Option<i64>,
    run_as_group: Option<i64>,
    run_as_non_root: Option<bool>,
    read_only_root_filesystem: Option<bool>,
    allow_privilege_escalation: Option<bool>,
    proc_mount: &'a Option<String>,
    seccomp_profile: &'a Option<SeccompProfile>,
    app_armor_profile: &'a Option<AppArmorProfile>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownCapabilities<'a> {
    add: &'a Option<Vec<String>>,
    drop: &'a Option<Vec<String>>,
}

impl<'a> Shown<'a> {
    fn of(security: &'a SecurityContext) -> Self {
        let capabilities = security.capabilities.as_ref();
        Self {
            capabilities: capabilities.map(|all| ShownCapabilities { add: &all.add, drop: &all.drop }),
            privileged: security.privileged,
            se_linux_options: &security.se_linux_options,
            windows_options: &security.windows_options,
            run_as_user: security.run_as_user,
            run_as_group: security.run_as_group,
            run_as_non_root: security.run_as_non_root,
            read_only_root_filesystem: security.read_only_root_filesystem,
            allow_privilege_escalation: security.allow_privilege_escalation,
            proc_mount: &security.proc_mount,
            seccomp_profile: &security.seccomp_profile,
            app_armor_profile: &security.app_armor_profile,
        }
    }
}
