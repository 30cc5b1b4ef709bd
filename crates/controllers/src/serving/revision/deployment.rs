//! The Deployment of a Revision (upstream: serving, revision/resources/deploy.go).

use std::{collections::BTreeMap, time::Duration};

use resources::{
    Object,
    annotations::PROGRESS_DEADLINE,
    builtin::{
        Affinity, Deployment, DeploymentSpec, DeploymentStrategy, PodAffinityTerm, PodAntiAffinity, PodSpec,
        PodTemplateSpec, RollingUpdateDeployment, WeightedPodAffinityTerm,
    },
    config::{AffinityType, Configs},
    duration, labels,
    meta::{IntOrString, LabelSelector, ObjectMeta},
    names,
    serving::{ContainerStatus, Revision},
};

use super::{
    hash::hash,
    meta::{child_labels, pod_annotations, workload_annotations},
    queue_proxy::queue_proxy,
    user_container::user_container,
};
use crate::serving::{autoscaler::initial_scale, child};

/// Spreading is a wish that yields to any other.
const SPREAD_WEIGHT: i32 = 100;

/// The Deployment of a Revision whose images are `digests` (its containers', then its init containers').
pub(super) fn desired_deployment(
    revision: &Revision,
    digests: &[ContainerStatus],
    configs: &Configs,
) -> Deployment {
    let selector = BTreeMap::from([(labels::REVISION_UID.to_owned(), revision.uid().to_owned())]);
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(child_labels(revision)),
            annotations: child::present(pod_annotations(revision)),
            ..ObjectMeta::default()
        }),
        spec: Some(pod_spec(revision, digests, configs)),
    };
    let deadline = progress_deadline(&revision.metadata, configs).as_secs();
    let mut deployment = Deployment {
        metadata: child::metadata(
            revision,
            names::deployment(revision.name()),
            child_labels(revision),
            workload_annotations(revision),
        ),
        spec: Some(DeploymentSpec {
            replicas: Some(initial_scale(&revision.metadata, &configs.autoscaler)),
            selector: LabelSelector { match_labels: Some(selector), match_expressions: None },
            template,
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_unavailable: Some(IntOrString::Int(0)),
                    max_surge: None,
                }),
            }),
            progress_deadline_seconds: Some(i32::try_from(deadline).unwrap_or(i32::MAX)),
            revision_history_limit: Some(0),
            ..DeploymentSpec::default()
        }),
        status: None,
    };
    let hash = hash(&deployment);
    deployment.metadata.labels.get_or_insert_default().insert(labels::DEPLOYMENT_HASH.to_owned(), hash);
    deployment
}

/// `existing` as `desired` asks, if it was made from something else: its size is the autoscaler's and its selector
/// cannot change; metadata of others stays.
pub(super) fn merge(existing: &Deployment, desired: Deployment) -> Deployment {
    if existing.label(labels::DEPLOYMENT_HASH) == desired.label(labels::DEPLOYMENT_HASH) {
        return existing.clone();
    }
    let mut merged = existing.clone();
    merged.metadata.labels = overlay(existing.metadata.labels.as_ref(), desired.metadata.labels);
    merged.metadata.annotations =
        overlay(existing.metadata.annotations.as_ref(), desired.metadata.annotations);
    if let (Some(spec), Some(before)) = (desired.spec, &existing.spec) {
        merged.spec =
            Some(DeploymentSpec { replicas: before.replicas, selector: before.selector.clone(), ..spec });
    }
    merged
}

fn overlay(existing: Option<&child::Map>, desired: Option<child::Map>) -> Option<child::Map> {
    let mut map = existing.cloned().unwrap_or_default();
    map.retain(|key, _| !key.contains("knative.dev/"));
    map.extend(desired.unwrap_or_default());
    child::present(map)
}

/// How long an object with these annotations may take to become ready.
pub(crate) fn progress_deadline(metadata: &ObjectMeta, configs: &Configs) -> Duration {
    PROGRESS_DEADLINE.of(metadata).and_then(duration::parse).unwrap_or(configs.deployment.progress_deadline)
}

fn pod_spec(revision: &Revision, digests: &[ContainerStatus], configs: &Configs) -> PodSpec {
    let spec = &revision.spec;
    let mut pod = spec.pod_spec();
    let mut digests = digests.iter();
    let mut image = |own: &Option<String>| {
        let resolved =
            digests.next().map(|status| status.image_digest.clone()).filter(|digest| !digest.is_empty());
        resolved.or_else(|| own.clone()).unwrap_or_default()
    };
    pod.containers = spec
        .containers
        .iter()
        .map(|container| user_container(revision, container, &image(&container.image)))
        .collect();
    for container in pod.init_containers.iter_mut().flatten() {
        container.image = Some(image(&container.image));
    }
    pod.containers.push(queue_proxy(revision, configs));
    // A request that is under way when its instance shall go may take as long as any.
    pod.termination_grace_period_seconds = spec.timeout_seconds;
    if !configs.features.affinity.is_allowed()
        && pod.affinity.is_none()
        && configs.deployment.default_affinity_type == AffinityType::PreferSpreadRevisionOverNodes
    {
        pod.affinity = Some(spread(revision));
    }
    if pod.runtime_class_name.is_none() {
        let labels = child::labels(&revision.metadata);
        pod.runtime_class_name = configs.deployment.runtime_class(&labels).map(str::to_owned);
    }
    pod
}

fn spread(revision: &Revision) -> Affinity {
    let same = BTreeMap::from([(labels::REVISION.to_owned(), revision.name().to_owned())]);
    let term = PodAffinityTerm {
        label_selector: Some(LabelSelector { match_labels: Some(same), match_expressions: None }),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    let wish = WeightedPodAffinityTerm { weight: SPREAD_WEIGHT, pod_affinity_term: term };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![wish]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

#[cfg(test)]
mod tests;
