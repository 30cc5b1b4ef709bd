//! One container of a Revision.

use super::{env, image_reference, pod_security, pod_spec::Pod, probe, volume_mount};
use crate::{
    admission::{KnativeErrors, Path},
    builtin::{Container, ContainerPort, ResourceRequirements},
    names::dns,
    quantity, reserved,
};

/// What a container is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It takes the requests.
    User,
    /// It runs beside.
    Sidecar,
    /// It runs before.
    Init,
}

/// Says what is wrong with a container.
pub(super) fn validate(
    container: &Container,
    role: Role,
    pod: &Pod<'_>,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    probe::validate_all(container, role, pod, path, errors);
    if *container == (Container { name: container.name.clone(), ..Container::default() })
        && container.name.is_empty()
    {
        errors.missing(path);
        return;
    }
    check_allowed(container, path, errors);
    if reserved::CONTAINER_NAMES.contains(&container.name.as_str()) {
        let message = format!("{:?} is a reserved container name", container.name);
        errors.add(message, &[path.child("name")], "");
    }
    // Upstream leaves this to Kubernetes, which answers when the pod is made. Here the user hears at once.
    let wrong = dns::label(&container.name);
    if !container.name.is_empty() && !wrong.is_empty() {
        errors.invalid_because(&container.name, path.child("name"), wrong.join(", "));
    }
    env::validate(container, role, pod.features, path, errors);
    check_image(container, path, errors);
    check_ports(container.ports.as_deref().unwrap_or_default(), role, path, errors);
    if let Some(resources) = &container.resources {
        check_resources(resources, path.child("resources"), errors);
    }
    if let Some(security) = &container.security_context {
        pod_security::validate_container(security, path.child("securityContext"), pod.features, errors);
    }
    match container.termination_message_policy.as_deref().unwrap_or_default() {
        "" | "File" | "FallbackToLogsOnError" => {}
        other => errors.invalid(other, path.child("terminationMessagePolicy")),
    }
    match container.image_pull_policy.as_deref().unwrap_or_default() {
        "" | "Always" | "IfNotPresent" | "Never" => {}
        other => errors.invalid(other, path.child("imagePullPolicy")),
    }
    volume_mount::validate(container, pod, path.child("volumeMounts"), errors);
}

/// Fields that upstream's schema leaves out, so that it drops them silently. A user who sets one should know.
fn check_allowed(container: &Container, path: Path<'_>, errors: &mut KnativeErrors) {
    let fields = [
        ("lifecycle", container.lifecycle.is_some()),
        ("stdin", container.stdin == Some(true)),
        ("stdinOnce", container.stdin_once == Some(true)),
        ("tty", container.tty == Some(true)),
        ("volumeDevices", container.volume_devices.is_some()),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
    ];
    for (field, set) in fields {
        if set {
            errors.disallowed(path.child(field));
        }
    }
}

fn check_image(container: &Container, path: Path<'_>, errors: &mut KnativeErrors) {
    let image = container.image.as_deref().unwrap_or_default();
    if image.is_empty() {
        errors.missing(path.child("image"));
    } else if let Err(error) = image_reference::check(image) {
        let details = format!("image: {image:?}, error: {error}");
        errors.add("Failed to parse image reference", &[path.child("image")], details);
    }
}

fn check_ports(ports: &[ContainerPort], role: Role, path: Path<'_>, errors: &mut KnativeErrors) {
    let at = path.child("ports");
    // More than one port has been refused already.
    let checked = if role == Role::Init { ports } else { &ports[..ports.len().min(1)] };
    for port in checked {
        check_port(port, at, errors);
        if role == Role::Init {
            continue;
        }
        match port.protocol.as_deref().unwrap_or_default() {
            "" | "TCP" => {}
            other => errors.invalid(other, at.child("protocol")),
        }
        let name = port.name.as_deref().unwrap_or_default();
        if !matches!(name, "" | reserved::PORT_NAME_H2C | reserved::PORT_NAME_HTTP1) {
            let message = format!("Port name {name} is not allowed");
            errors.add(message, &[at], "Name must be empty, or one of: 'h2c', 'http1'");
        }
    }
}

fn check_port(port: &ContainerPort, path: Path<'_>, errors: &mut KnativeErrors) {
    let number = port.container_port;
    for (field, set) in [
        ("hostIP", port.host_ip.as_ref().is_some_and(|ip| !ip.is_empty())),
        ("hostPort", port.host_port.unwrap_or(0) != 0),
    ] {
        if set {
            errors.disallowed(path.child(field));
        }
    }
    let path = path.child("containerPort");
    if reserved::PORTS.contains(&number) {
        let value = format!("{number} is a reserved port");
        errors.invalid_because(&value, path, format!("{value}, please use a different value"));
    }
    if !(0..=65535).contains(&number) {
        errors.out_of_bounds(number, 0, 65535, path);
    }
}

/// Upstream leaves the amounts to Kubernetes, which answers when the pod is made. Here the user hears at once.
fn check_resources(resources: &ResourceRequirements, path: Path<'_>, errors: &mut KnativeErrors) {
    if resources.claims.is_some() {
        errors.disallowed(path.child("claims"));
    }
    for (field, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        let at = path.child(field);
        for (resource, amount) in amounts.iter().flatten() {
            match quantity::nanos(&amount.0) {
                None => errors.invalid_because(
                    &amount.0,
                    at.key(resource),
                    "must be a quantity, such as 100m or 128Mi",
                ),
                Some(..0) => {
                    errors.invalid_because(&amount.0, at.key(resource), "must be greater than or equal to 0")
                }
                Some(_) => {}
            }
        }
    }
    for (resource, request) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(resource));
        if let (Some(request_nanos), Some(limit)) = (quantity::nanos(&request.0), limit)
            && quantity::nanos(&limit.0).is_some_and(|limit| request_nanos > limit)
        {
            let at = path.child("requests");
            let details = format!("must be less than or equal to {resource} limit of {}", limit.0);
            errors.invalid_because(&request.0, at.key(resource), details);
        }
    }
}
