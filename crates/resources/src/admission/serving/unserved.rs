//! What Knative supports and this release of Ebb does not: refused if it decides how a Revision runs, else a warning. An
//! object that silently got something else would be worse.

use std::collections::BTreeMap;

use crate::{
    admission::{KnativeErrors, Path},
    annotations::{CLASS, CLASS_HPA, CLASS_KPA, METRIC, METRIC_CONCURRENCY, METRIC_RPS, ROLLOUT_DURATION},
    duration,
    labels::{VISIBILITY, VISIBILITY_CLUSTER_LOCAL},
    meta::ObjectMeta,
};

/// Refuses autoscaler classes and metrics that are not supported. Classes that Knative does not define are other
/// controllers' business.
pub(super) fn refuse_scaling(
    annotations: &BTreeMap<String, String>,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    let class = CLASS.find(annotations);
    if let Some((key, CLASS_HPA)) = class {
        let instead = format!(
            "this release of Ebb has no autoscaler of this class; remove the annotation, or use {CLASS_KPA:?}"
        );
        errors.invalid_because(CLASS_HPA, path.child(key), instead);
    }
    if let Some((key, METRIC_RPS)) = METRIC.find(annotations)
        && class.is_none_or(|(_, class)| class == CLASS_KPA)
    {
        let instead = format!(
            "this release of Ebb scales on concurrent requests only; remove the annotation, or use {METRIC_CONCURRENCY:?}"
        );
        errors.invalid_because(METRIC_RPS, path.child(key), instead);
    }
}

/// What to tell of the metadata of a Service or Route.
pub(super) fn warnings(metadata: &ObjectMeta) -> impl Iterator<Item = String> {
    rollout_warning(metadata).into_iter().chain(cluster_local_warning(metadata))
}

/// What to tell whoever makes something for callers inside the cluster alone.
fn cluster_local_warning(metadata: &ObjectMeta) -> Option<String> {
    let visibility = metadata.labels.as_ref()?.get(VISIBILITY)?;
    (visibility == VISIBILITY_CLUSTER_LOCAL).then(|| {
        format!(
            "metadata.labels.{VISIBILITY}={visibility} leaves nobody who can call this in this release of Ebb: the \
             gateway serves no callers outside, and pods have no network to call it by; without the label it has a \
             public URL"
        )
    })
}

/// What to tell whoever asks for a gradual rollout.
fn rollout_warning(metadata: &ObjectMeta) -> Option<String> {
    let (key, text) = ROLLOUT_DURATION.find(metadata.annotations.as_ref()?)?;
    duration::parse_nanos(text).filter(|nanos| *nanos > 0)?;
    Some(format!(
        "metadata.annotations.{key}={text} has no effect in this release of Ebb: traffic moves to a new Revision at once"
    ))
}
