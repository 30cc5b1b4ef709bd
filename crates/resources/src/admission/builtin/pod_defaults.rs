//! What a pod gets where it does not say.

use super::container_defaults;
use crate::builtin::{
    ConfigMapVolumeSource, DownwardAPIVolumeSource, EmptyDirVolumeSource, PodSecurityContext, PodSpec,
    ProjectedVolumeSource, SecretVolumeSource, Toleration, Volume,
};

/// Read and write for the owner, read for others.
const FILE_MODE: i32 = 0o644;
/// How long a projected token is good for, in seconds.
const TOKEN_SECONDS: i64 = 3600;
/// How long a pod stays on a node that is not heard of, in seconds.
const NODE_PATIENCE_SECONDS: i64 = 300;

/// Fills in a pod's spec, in a template or a pod of its own.
pub(super) fn set(spec: &mut PodSpec) {
    let text = |field: &mut Option<String>, default: &str| {
        if field.as_deref().unwrap_or_default().is_empty() {
            *field = Some(default.to_owned());
        }
    };
    text(&mut spec.restart_policy, "Always");
    text(&mut spec.dns_policy, "ClusterFirst");
    text(&mut spec.scheduler_name, "default-scheduler");
    spec.termination_grace_period_seconds.get_or_insert(30);
    spec.security_context.get_or_insert_with(PodSecurityContext::default);
    // Two names of one field; the older one follows.
    if spec.service_account_name.is_none() {
        spec.service_account_name.clone_from(&spec.service_account);
    }
    spec.service_account.clone_from(&spec.service_account_name);
    let host_network = spec.host_network == Some(true);
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        container_defaults::set(container, host_network);
    }
    for volume in spec.volumes.iter_mut().flatten() {
        set_volume(volume);
    }
}

/// What only a pod of its own gets: requests as high as limits, and an account.
pub(super) fn set_pod(spec: &mut PodSpec) {
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        if let Some(resources) = &mut container.resources
            && let Some(limits) = &resources.limits
        {
            let requests = resources.requests.get_or_insert_default();
            for (resource, limit) in limits {
                requests.entry(resource.clone()).or_insert_with(|| limit.clone());
            }
        }
    }
    spec.enable_service_links.get_or_insert(true);
    if spec.service_account_name.as_deref().unwrap_or_default().is_empty() {
        spec.service_account_name = Some("default".to_owned());
        spec.service_account = Some("default".to_owned());
    }
}

/// What a pod gets once, when it is made: the priority of no class, and patience with its node (upstream: the admission
/// plugins Priority and DefaultTolerationSeconds).
pub(super) fn set_new(spec: &mut PodSpec) {
    if spec.priority_class_name.as_deref().unwrap_or_default().is_empty() {
        spec.priority.get_or_insert(0);
        spec.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
    }
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers = |toleration: &Toleration| {
            let is_for = |field: &Option<String>, value| {
                field.as_deref().is_none_or(|field| field.is_empty() || field == value)
            };
            is_for(&toleration.key, key) && is_for(&toleration.effect, "NoExecute")
        };
        let tolerations = spec.tolerations.get_or_insert_default();
        if !tolerations.iter().any(covers) {
            tolerations.push(Toleration {
                key: Some(key.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(NODE_PATIENCE_SECONDS),
                ..Toleration::default()
            });
        }
    }
}

fn set_volume(volume: &mut Volume) {
    let only_name = *volume == Volume { name: volume.name.clone(), ..Volume::default() };
    if only_name {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(SecretVolumeSource { default_mode, .. }) = &mut volume.secret {
        default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(ConfigMapVolumeSource { default_mode, .. }) = &mut volume.config_map {
        default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(DownwardAPIVolumeSource { default_mode, items }) = &mut volume.downward_api {
        default_mode.get_or_insert(FILE_MODE);
        for field in items.iter_mut().flatten().filter_map(|item| item.field_ref.as_mut()) {
            field.api_version.get_or_insert_with(|| "v1".to_owned());
        }
    }
    if let Some(ProjectedVolumeSource { default_mode, sources }) = &mut volume.projected {
        default_mode.get_or_insert(FILE_MODE);
        for source in sources.iter_mut().flatten() {
            if let Some(token) = &mut source.service_account_token {
                token.expiration_seconds.get_or_insert(TOKEN_SECONDS);
            }
            let items = source.downward_api.iter_mut().flat_map(|api| api.items.iter_mut().flatten());
            for field in items.filter_map(|item| item.field_ref.as_mut()) {
                field.api_version.get_or_insert_with(|| "v1".to_owned());
            }
        }
    }
    if let Some(host_path) = &mut volume.host_path {
        host_path.type_.get_or_insert_default();
    }
    if let Some(image) = &mut volume.image {
        let reference = image.reference.as_deref().unwrap_or_default();
        image.pull_policy.get_or_insert_with(|| container_defaults::pull_policy(reference).to_owned());
    }
}
