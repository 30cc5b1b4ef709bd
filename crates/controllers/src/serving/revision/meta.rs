//! Labels and annotations that pass from a Revision to what it makes.

use resources::{
    Object,
    annotations::{AUTOSCALING_GROUP, DEFAULT_CONTAINER, REVISION_ONLY},
    labels::{self, APP, ROUTE, ROUTING_STATE},
    serving::Revision,
};

use crate::serving::child::{self, Map};

/// Labels of a Revision's children and pods.
pub(super) fn child_labels(revision: &Revision) -> Map {
    let mut labels = child::labels(&revision.metadata);
    labels.retain(|key, _| key != ROUTE && key != ROUTING_STATE);
    labels.insert(labels::REVISION.to_owned(), revision.name().to_owned());
    labels.insert(labels::REVISION_UID.to_owned(), revision.uid().to_owned());
    labels.entry(APP.to_owned()).or_insert_with(|| revision.name().to_owned());
    labels
}

/// Annotations of a Revision's Deployment, pods and Images: not what only concerns the Revision, nor its scaling, which
/// may change without new pods.
pub(super) fn workload_annotations(revision: &Revision) -> Map {
    let mut annotations = scaling_annotations(revision);
    annotations.retain(|key, _| !key.starts_with(AUTOSCALING_GROUP));
    annotations
}

/// Annotations of a Revision's PodAutoscaler.
pub(super) fn scaling_annotations(revision: &Revision) -> Map {
    let mut annotations = child::annotations(&revision.metadata);
    annotations.retain(|key, _| !REVISION_ONLY.contains(&key.as_str()));
    annotations
}

/// Annotations of a Revision's pods.
pub(super) fn pod_annotations(revision: &Revision) -> Map {
    let mut annotations = workload_annotations(revision);
    if let Some(container) = revision.spec.serving_container() {
        annotations.entry(DEFAULT_CONTAINER.to_owned()).or_insert_with(|| container.name.clone());
    }
    annotations
}
