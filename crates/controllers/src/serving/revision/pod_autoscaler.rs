//! The PodAutoscaler of a Revision.

use resources::{
    Object,
    annotations::{AUTOSCALING_GROUP, CLASS, CLASS_HPA, CLASS_KPA, METRIC, METRIC_CONCURRENCY, METRIC_CPU},
    autoscaling::{PodAutoscaler, PodAutoscalerSpec, Reachability},
    builtin::{Deployment, ObjectReference},
    config::Configs,
    labels::{ROUTING_STATE, ROUTING_STATE_ACTIVE, ROUTING_STATE_RESERVE},
    names,
    serving::Revision,
};

use super::{
    meta::{child_labels, scaling_annotations},
    port::Protocol,
};
use crate::serving::child;

/// The PodAutoscaler of a Revision.
pub(super) fn desired_pod_autoscaler(
    revision: &Revision,
    reachability: Reachability,
    configs: &Configs,
) -> PodAutoscaler {
    let mut annotations = scaling_annotations(revision);
    // As admission would: so that what is stored is what is wanted.
    let class = CLASS
        .find(&annotations)
        .map_or(configs.autoscaler.pod_autoscaler_class.clone(), |(_, class)| class.to_owned());
    let metric = if class == CLASS_HPA { METRIC_CPU } else { METRIC_CONCURRENCY };
    if class == CLASS_KPA || class == CLASS_HPA {
        annotations.entry(METRIC.name().to_owned()).or_insert_with(|| metric.to_owned());
    }
    annotations.insert(CLASS.name().to_owned(), class);
    PodAutoscaler::new(
        child::metadata(
            revision,
            names::pod_autoscaler(revision.name()),
            child_labels(revision),
            annotations,
        ),
        PodAutoscalerSpec {
            scale_target_ref: ObjectReference {
                api_version: Some(Deployment::kind().api_version()),
                kind: Some(Deployment::kind().kind.to_owned()),
                name: Some(names::deployment(revision.name())),
                ..ObjectReference::default()
            },
            container_concurrency: revision.spec.container_concurrency.unwrap_or(0),
            protocol_type: Protocol::of(&revision.spec).as_str().to_owned(),
            reachability,
        },
    )
}

/// `existing` as `desired` asks: its spec and its autoscaling annotations. A class once chosen stays, since another
/// autoscaler would not know of this one's work.
pub(super) fn merge(existing: &PodAutoscaler, desired: PodAutoscaler) -> PodAutoscaler {
    let mut merged = existing.clone();
    merged.spec = desired.spec;
    let annotations = merged.metadata.annotations.get_or_insert_default();
    let desired = desired.metadata.annotations.unwrap_or_default();
    annotations.retain(|key, _| {
        !key.starts_with(AUTOSCALING_GROUP) || desired.contains_key(key) || key == CLASS.name()
    });
    for (key, value) in desired {
        if key != CLASS.name() || !annotations.contains_key(&key) {
            annotations.insert(key, value);
        }
    }
    merged
}

/// Whether requests can reach a Revision, which decides if it is kept at its least scale.
///
/// `stuck`: its instances cannot come up as they are.
pub(super) fn reachability(revision: &Revision, stuck: bool) -> Reachability {
    match revision.label(ROUTING_STATE) {
        // A Revision that fails shall not hold resources, whatever leads to it.
        _ if stuck => Reachability::Unreachable,
        Some(ROUTING_STATE_ACTIVE) => Reachability::Reachable,
        Some(ROUTING_STATE_RESERVE) => Reachability::Unreachable,
        _ => Reachability::Unknown,
    }
}
