//! Replica counts: what `/scale` reads and writes.

use std::{any::Any, sync::Arc};

use resources::{
    DynObject,
    builtin::{Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec},
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
    let (any_one, any_other): (&dyn Any, &dyn Any) = (one, other);
    let same_but_replicas = if let (Some(one), Some(other)) =
        (any_one.downcast_ref::<Deployment>(), any_other.downcast_ref::<Deployment>())
    {
        deployment_but_replicas(one) == deployment_but_replicas(other)
    } else if let (Some(one), Some(other)) =
        (any_one.downcast_ref::<ReplicaSet>(), any_other.downcast_ref::<ReplicaSet>())
    {
        replica_set_but_replicas(one) == replica_set_but_replicas(other)
    } else {
        false
    };
    same_but_replicas
        && *other.metadata()
            == ObjectMeta { generation: other.metadata().generation, ..one.metadata().clone() }
}

/// All that a Deployment wants, but for how many.
fn deployment_but_replicas(deployment: &Deployment) -> Option<impl PartialEq> {
    let DeploymentSpec {
        replicas: _,
        min_ready_seconds,
        paused,
        progress_deadline_seconds,
        revision_history_limit,
        selector,
        strategy,
        template,
    } = deployment.spec.as_ref()?;
    let numbers = (min_ready_seconds, paused, progress_deadline_seconds, revision_history_limit);
    Some((numbers, selector, strategy, template))
}

/// Likewise of a ReplicaSet.
fn replica_set_but_replicas(set: &ReplicaSet) -> Option<impl PartialEq> {
    let ReplicaSetSpec { replicas: _, min_ready_seconds, selector, template } = set.spec.as_ref()?;
    Some((min_ready_seconds, selector, template))
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
