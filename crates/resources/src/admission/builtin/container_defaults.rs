//! What a container gets where it does not say.

use crate::{
    builtin::{Container, HTTPGetAction, LifecycleHandler, Probe, ResourceRequirements},
    image_name::ImageName,
    meta::Quantity,
    quantity,
};

/// Fills in a container of a pod.
pub(super) fn set(container: &mut Container, host_network: bool) {
    let text = |field: &mut Option<String>, default: &str| {
        if field.as_deref().unwrap_or_default().is_empty() {
            *field = Some(default.to_owned());
        }
    };
    let policy = pull_policy(container.image.as_deref().unwrap_or_default());
    text(&mut container.image_pull_policy, policy);
    text(&mut container.termination_message_path, "/dev/termination-log");
    text(&mut container.termination_message_policy, "File");
    let resources = container.resources.get_or_insert_with(ResourceRequirements::default);
    for amounts in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
        amounts.values_mut().for_each(write_canonically);
    }
    for port in container.ports.iter_mut().flatten() {
        text(&mut port.protocol, "TCP");
        if host_network {
            port.host_port.get_or_insert(port.container_port);
        }
    }
    for variable in container.env.iter_mut().flatten() {
        if let Some(field) = variable.value_from.as_mut().and_then(|source| source.field_ref.as_mut()) {
            text(&mut field.api_version, "v1");
        }
    }
    let probes =
        [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    for probe in probes.into_iter().flatten() {
        set_probe(probe);
    }
    if let Some(lifecycle) = &mut container.lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
            let LifecycleHandler { http_get, .. } = handler;
            http_get.iter_mut().for_each(set_http_get);
        }
    }
}

/// What is no quantity is left for validation to name.
pub(super) fn write_canonically(amount: &mut Quantity) {
    if let Some(canonical) = quantity::canonical(&amount.0) {
        amount.0 = canonical;
    }
}

/// When an image is looked for in its registry: always where its tag can move without anyone saying so.
pub(super) fn pull_policy(image: &str) -> &'static str {
    let name = ImageName::split(image);
    match (name.digest, name.tag) {
        (None, None | Some("latest")) => "Always",
        _ => "IfNotPresent",
    }
}

fn set_probe(probe: &mut Probe) {
    // In a probe, 0 is the same as absent.
    let number = |field: &mut Option<i32>, default: i32| {
        if field.unwrap_or(0) == 0 {
            *field = Some(default);
        }
    };
    number(&mut probe.timeout_seconds, 1);
    number(&mut probe.period_seconds, 10);
    number(&mut probe.success_threshold, 1);
    number(&mut probe.failure_threshold, 3);
    probe.http_get.iter_mut().for_each(set_http_get);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn set_http_get(action: &mut HTTPGetAction) {
    for (field, default) in [(&mut action.path, "/"), (&mut action.scheme, "HTTP")] {
        if field.as_deref().unwrap_or_default().is_empty() {
            *field = Some(default.to_owned());
        }
    }
}
