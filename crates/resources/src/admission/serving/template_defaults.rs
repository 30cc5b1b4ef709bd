//! What a Revision's spec gets where it does not say.
//!
//! Upstream: serving, `pkg/apis/serving/v1/revision_defaults.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::pod_security;
use crate::{
    builtin::{Container, Probe, TCPSocketAction, Volume},
    config::{Configs, Defaults},
    meta::{ObjectMeta, Quantity},
    names::child_name,
    serving::RevisionSpec,
};

/// Fills in the spec of a Revision of this parent; `create` when the object that holds it is new.
pub(super) fn set(spec: &mut RevisionSpec, parent: &ObjectMeta, create: bool, configs: &Configs) {
    let defaults = &configs.defaults;
    set_timeouts(spec, defaults);
    spec.container_concurrency.get_or_insert(defaults.container_concurrency);
    set_names(spec, parent, defaults);
    if create && !spec.containers.is_empty() {
        spec.enable_service_links = spec.enable_service_links.or(defaults.enable_service_links);
    }
    let writable = spec.volumes.iter().filter(|volume| is_writable(volume)).map(|volume| volume.name.clone());
    let writable: BTreeSet<_> = writable.collect();
    let only = spec.containers.len() == 1;
    for container in &mut spec.containers {
        set_resources(container, defaults);
        if only || container.ports.as_ref().is_some_and(|ports| !ports.is_empty()) {
            set_user_probe(container);
        }
        set_probe_numbers(container);
        for mount in container.volume_mounts.iter_mut().flatten() {
            if !writable.contains(&mount.name) {
                mount.read_only = Some(true);
            }
        }
    }
    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
        pod_security::set_defaults(container, spec.security_context.as_ref(), &configs.features);
    }
}

fn is_writable(volume: &Volume) -> bool {
    volume.empty_dir.is_some() || volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some()
}

fn set_timeouts(spec: &mut RevisionSpec, defaults: &Defaults) {
    if spec.timeout_seconds.unwrap_or(0) == 0 {
        spec.timeout_seconds = Some(defaults.revision_timeout_seconds);
    }
    // The two others mean something only when they are shorter than the whole.
    let timeout = spec.timeout_seconds.unwrap_or(defaults.revision_timeout_seconds);
    let shorter = |seconds: i64| (seconds != 0 && seconds < timeout).then_some(seconds);
    spec.idle_timeout_seconds =
        spec.idle_timeout_seconds.or_else(|| shorter(defaults.revision_idle_timeout_seconds));
    spec.response_start_timeout_seconds = spec
        .response_start_timeout_seconds
        .or_else(|| shorter(defaults.revision_response_start_timeout_seconds));
}

fn set_names(spec: &mut RevisionSpec, parent: &ObjectMeta, defaults: &Defaults) {
    let all = spec.containers.iter().chain(&spec.init_containers);
    let taken: BTreeSet<_> = all.map(|container| container.name.clone()).collect();
    name_containers(&mut spec.containers, &taken, &defaults.container_name(parent));
    name_containers(&mut spec.init_containers, &taken, &defaults.init_container_name(parent));
}

/// The only container gets the name itself; of several, each a number that is free.
fn name_containers(containers: &mut [Container], taken: &BTreeSet<String>, name: &str) {
    let numbered = containers.len() > 1 || taken.contains(name);
    let mut numbers = (0..).map(|number| child_name(name, &format!("-{number}")));
    for container in containers.iter_mut().filter(|container| container.name.is_empty()) {
        container.name = if numbered {
            numbers.find(|name| !taken.contains(name)).expect("numbers do not end")
        } else {
            name.to_owned()
        };
    }
}

fn set_resources(container: &mut Container, defaults: &Defaults) {
    let mut resources = container.resources.take().unwrap_or_default();
    for (resource, request, limit) in [
        ("cpu", &defaults.revision_cpu_request, &defaults.revision_cpu_limit),
        ("memory", &defaults.revision_memory_request, &defaults.revision_memory_limit),
        (
            "ephemeral-storage",
            &defaults.revision_ephemeral_storage_request,
            &defaults.revision_ephemeral_storage_limit,
        ),
    ] {
        set_resource(&mut resources.requests, resource, request.as_ref());
        set_resource(&mut resources.limits, resource, limit.as_ref());
    }
    container.resources = Some(resources);
}

fn set_resource(
    amounts: &mut Option<BTreeMap<String, Quantity>>,
    resource: &str,
    default: Option<&Quantity>,
) {
    if let Some(default) = default {
        amounts.get_or_insert_default().entry(resource.to_owned()).or_insert_with(|| default.clone());
    }
}

/// The container that takes requests is ready when its port can be connected to, unless it says otherwise.
fn set_user_probe(container: &mut Container) {
    let probe = container.readiness_probe.get_or_insert_with(Probe::default);
    if probe.tcp_socket.is_none() && probe.http_get.is_none() && probe.exec.is_none() && probe.grpc.is_none()
    {
        probe.tcp_socket = Some(TCPSocketAction::default());
    }
}

/// A period of 0 is Knative's own way to probe: at once and then often, without thresholds.
fn set_probe_numbers(container: &mut Container) {
    if let Some(probe) = &mut container.readiness_probe {
        fill(&mut probe.success_threshold, 1);
        if probe.period_seconds.unwrap_or(0) != 0 {
            fill(&mut probe.failure_threshold, 3);
            fill(&mut probe.timeout_seconds, 1);
        }
    }
    for probe in [&mut container.readiness_probe, &mut container.liveness_probe, &mut container.startup_probe]
    {
        if let Some(grpc) = probe.as_mut().and_then(|probe| probe.grpc.as_mut()) {
            grpc.service.get_or_insert_default();
        }
    }
}

/// Absent and 0 are the same in Kubernetes' probes.
fn fill(number: &mut Option<i32>, default: i32) {
    if number.unwrap_or(0) == 0 {
        *number = Some(default);
    }
}
