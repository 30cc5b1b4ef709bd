//! Probes of a Revision's containers.

use super::{container::Role, pod_spec::Pod};
use crate::{
    admission::{KnativeErrors, Path},
    builtin::{Container, Probe},
    meta::IntOrString,
};

/// Says what is wrong with a container's probes.
pub(super) fn validate_all(
    container: &Container,
    role: Role,
    pod: &Pod<'_>,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    for (field, probe) in probes {
        let Some(probe) = probe else { continue };
        let path = path.child(field);
        match role {
            Role::Init => errors.add("field not allowed in an init container", &[path], ""),
            Role::Sidecar if !pod.features.multi_container_probing.is_enabled() => {
                refuse_fields(probe, path, errors);
            }
            Role::Sidecar => validate(probe, None, path, errors),
            Role::User => validate(probe, Some(pod.port_name), path, errors),
        }
        if field == "readinessProbe"
            && (role == Role::User || pod.features.multi_container_probing.is_enabled())
        {
            validate_readiness(probe, path, errors);
        }
    }
}

/// Every field that is set is one too many.
fn refuse_fields(probe: &Probe, path: Path<'_>, errors: &mut KnativeErrors) {
    for (field, set) in [
        ("exec", probe.exec.is_some()),
        ("httpGet", probe.http_get.is_some()),
        ("tcpSocket", probe.tcp_socket.is_some()),
        ("grpc", probe.grpc.is_some()),
        ("initialDelaySeconds", probe.initial_delay_seconds.unwrap_or(0) != 0),
        ("timeoutSeconds", probe.timeout_seconds.unwrap_or(0) != 0),
        ("periodSeconds", probe.period_seconds.unwrap_or(0) != 0),
        ("successThreshold", probe.success_threshold.unwrap_or(0) != 0),
        ("failureThreshold", probe.failure_threshold.unwrap_or(0) != 0),
        ("terminationGracePeriodSeconds", probe.termination_grace_period_seconds.is_some()),
    ] {
        if set {
            errors.disallowed(path.child(field));
        }
    }
}

/// A probe of the container that takes requests may leave the port out, and may name no other by name; any other
/// container's must say which port it means.
fn validate(probe: &Probe, user_port: Option<&str>, path: Path<'_>, errors: &mut KnativeErrors) {
    let ports = [
        ("httpGet", probe.http_get.as_ref().map(|action| &action.port)),
        ("tcpSocket", probe.tcp_socket.as_ref().map(|action| &action.port)),
    ];
    for (field, port) in ports {
        let action = path.child(field);
        let path = action.child("port");
        match (port, user_port) {
            (Some(IntOrString::String(name)), Some(own)) if name != own && !name.is_empty() => {
                errors.invalid_because(name, path, "Probe port must match container port");
            }
            (Some(IntOrString::Int(0)), None) => {
                errors.invalid_because(0, path, "Probe port must be specified");
            }
            (Some(IntOrString::String(name)), None) if name.is_empty() => {
                errors.invalid_because(0, path, "Probe port must be specified");
            }
            (Some(&IntOrString::Int(number)), _) if !(0..=65535).contains(&number) => {
                errors.out_of_bounds(number, 0, 65535, path);
            }
            _ => {}
        }
    }
    let handlers: Vec<_> = [
        ("httpGet", probe.http_get.is_some()),
        ("tcpSocket", probe.tcp_socket.is_some()),
        ("exec", probe.exec.is_some()),
        ("grpc", probe.grpc.is_some()),
    ]
    .into_iter()
    .filter(|(_, set)| *set)
    .map(|(field, _)| path.child(field))
    .collect();
    match handlers.len() {
        0 => errors.missing_one_of(&["httpGet", "tcpSocket", "exec", "grpc"].map(|field| path.child(field))),
        1 => {}
        _ => errors.multiple_one_of(&handlers),
    }
}

fn validate_readiness(probe: &Probe, path: Path<'_>, errors: &mut KnativeErrors) {
    let mut at_least = |low: i32, number: Option<i32>, field: &str| {
        let number = number.unwrap_or(0);
        if number < low {
            errors.out_of_bounds(number, low, i32::MAX, path.child(field));
        }
    };
    at_least(0, probe.period_seconds, "periodSeconds");
    at_least(0, probe.initial_delay_seconds, "initialDelaySeconds");
    at_least(1, probe.success_threshold, "successThreshold");
    if probe.period_seconds.unwrap_or(0) != 0 {
        at_least(1, probe.timeout_seconds, "timeoutSeconds");
        at_least(1, probe.failure_threshold, "failureThreshold");
        return;
    }
    for (field, number) in
        [("failureThreshold", probe.failure_threshold), ("timeoutSeconds", probe.timeout_seconds)]
    {
        if number.unwrap_or(0) != 0 {
            let message = format!("{field} is disallowed when periodSeconds is zero");
            errors.add(message, &[path.child(field)], "");
        }
    }
}
