//! Probes of a pod's containers.

use crate::{
    admission::{FieldError, path::Path},
    builtin::{Container, Probe},
    meta::IntOrString,
    names::dns,
};

/// Says what is wrong with a container's probes.
pub(super) fn validate_all(container: &Container, init: bool, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    // An init container that is restarted runs on beside the others.
    let runs_once = init && container.restart_policy.as_deref() != Some("Always");
    for (field, probe, once) in [
        ("livenessProbe", &container.liveness_probe, true),
        ("readinessProbe", &container.readiness_probe, false),
        ("startupProbe", &container.startup_probe, true),
    ] {
        let Some(probe) = probe else { continue };
        let path = path.child(field);
        if runs_once {
            let why = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(&path, why));
            continue;
        }
        validate(probe, &path, errors);
        if once && probe.success_threshold.is_some_and(|threshold| threshold != 1) {
            let at = path.child("successThreshold");
            errors.push(FieldError::invalid(&at, probe.success_threshold, "must be 1"));
        }
    }
}

fn check_handler(probe: &Probe, field: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let port = match field {
        "httpGet" => probe.http_get.as_ref().map(|action| &action.port),
        "tcpSocket" => probe.tcp_socket.as_ref().map(|action| &action.port),
        _ => None,
    };
    let at = path.child("port");
    match port {
        Some(&IntOrString::Int(number)) => {
            let wrong = dns::port(number.into());
            errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, number, why)));
        }
        Some(IntOrString::String(name)) => super::invalid_each(dns::port_name(name), name, &at, errors),
        None => {}
    }
    let command = probe.exec.as_ref().filter(|_| field == "exec").map(|exec| &exec.command);
    if command.is_some_and(|command| command.as_ref().is_none_or(Vec::is_empty)) {
        errors.push(FieldError::required(&path.child("command"), ""));
    }
}

fn validate(probe: &Probe, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let handlers = [
        ("exec", probe.exec.is_some()),
        ("httpGet", probe.http_get.is_some()),
        ("tcpSocket", probe.tcp_socket.is_some()),
        ("grpc", probe.grpc.is_some()),
    ];
    let mut set = handlers.iter().filter(|(_, set)| *set).map(|(field, _)| *field);
    // Only the first is looked into.
    match set.next() {
        None => errors.push(FieldError::required(path, "must specify a handler type")),
        Some(field) => check_handler(probe, field, &path.child(field), errors),
    }
    for field in set {
        errors.push(FieldError::forbidden(&path.child(field), "may not specify more than 1 handler type"));
    }
    for (field, number) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        super::check_not_negative(number.map(i64::from), &path.child(field), errors);
    }
    if let Some(seconds @ ..=0) = probe.termination_grace_period_seconds {
        let at = path.child("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(&at, seconds, "must be greater than 0"));
    }
}
