//! Replica counts: what `/scale` reads and writes.

use std::{any::Any, sync::Arc};

use resources::{
    DynObject,
    builtin::{Deployment, ReplicaSet},
    meta::{LabelSelector, ObjectMeta},
};

/// The replica counts of an object that scales.
pub(crate) struct Replicas {
    pub(crate) wanted: i32,
    pub(crate) found: i32,
    pub(crate) selector: Option<LabelSelector>,
}

/// The replica counts; `None` for a kind without `/scale`.
pub(crate) fn replicas(object: &dyn DynObject) -> Option<Replicas> {
    let any: &dyn Any = object;
    if let Some(Deployment { spec, status, .. }) = any.downcast_ref() {
        return Some(Replicas {
            wanted: spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            found: status.as_ref().and_then(|status| status.replicas).unwrap_or_default(),
            selector: spec.as_ref().map(|spec| spec.selector.clone()),
        });
    }
    let ReplicaSet { spec, status, .. } = any.downcast_ref()?;
    Some(Replicas {
        wanted: spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        found: status.as_ref().map(|status| status.replicas).unwrap_or_default(),
        selector: spec.as_ref().map(|spec| spec.selector.clone()),
    })
}

/// The object with another replica count; `None` for a kind without `/scale`.
pub(crate) fn with_replicas(object: &dyn DynObject, replicas: i32) -> Option<Arc<dyn DynObject>> {
    let any: &dyn Any = object;
    if let Some(deployment) = any.downcast_ref::<Deployment>() {
        let mut deployment = deployment.clone();
        deployment.spec.get_or_insert_default().replicas = Some(replicas);
        return Some(Arc::new(deployment));
    }
    let mut set = any.downcast_ref::<ReplicaSet>()?.clone();
    set.spec.get_or_insert_default().replicas = Some(replicas);
    Some(Arc::new(set))
}

/// Whether two states of an object differ in nothing but their replica counts, which count as a generation.
pub(super) fn only_scaled(one: &dyn DynObject, other: &dyn DynObject) -> bool {
    let metadata = ObjectMeta { generation: other.metadata().generation, ..one.metadata().clone() };
    metadata == *other.metadata()
        && replicas(other)
            .and_then(|replicas| with_replicas(one, replicas.wanted))
            .is_some_and(|scaled| one.kind().same_spec(&*scaled, other) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_told_from_other_changes() {
        let deployment = |replicas: i32, generation: i64, paused: bool| {
            let mut deployment = Deployment::default();
            deployment.metadata.generation = Some(generation);
            let spec = deployment.spec.get_or_insert_default();
            (spec.replicas, spec.paused) = (Some(replicas), Some(paused));
            deployment
        };
        let before = deployment(1, 1, false);
        assert!(only_scaled(&before, &deployment(5, 2, false)));
        assert!(!only_scaled(&before, &deployment(5, 2, true)));
        let mut labelled = deployment(5, 2, false);
        labelled.metadata.labels = Some([("l".to_owned(), "1".to_owned())].into());
        assert!(!only_scaled(&before, &labelled));
    }
}
