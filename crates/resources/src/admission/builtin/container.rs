//! One container of a pod.

use std::collections::BTreeSet;

use super::{check_one_of, invalid_each, probe};
use crate::{
    admission::{FieldError, path::Path},
    builtin::{Container, ContainerPort, EnvVar, ResourceRequirements, SecurityContext, VolumeMount},
    names::dns,
    quantity,
};

/// Says what is wrong with a container.
pub(super) fn validate(
    container: &Container,
    init: bool,
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
    } else if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(&path.child("image"), image, why));
    }
    let policy = container.image_pull_policy.as_deref();
    check_one_of(policy, &["Always", "IfNotPresent", "Never"], &path.child("imagePullPolicy"), errors);
    let policy = container.termination_message_policy.as_deref();
    let at = path.child("terminationMessagePolicy");
    check_one_of(policy, &["File", "FallbackToLogsOnError"], &at, errors);
    check_ports(container.ports.as_deref().unwrap_or_default(), &path.child("ports"), errors);
    check_env(container, path, errors);
    check_mounts(container.volume_mounts.as_deref().unwrap_or_default(), volumes, path, errors);
    if let Some(resources) = &container.resources {
        check_resources(resources, &path.child("resources"), errors);
    }
    if let Some(security) = &container.security_context {
        check_security(security, &path.child("securityContext"), errors);
    }
    probe::validate_all(container, init, path, errors);
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
        errors.push(FieldError::invalid(path, security, why));
    }
}
