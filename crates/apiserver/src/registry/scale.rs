//! Replica counts: what `/scale` reads and writes.

use std::{any::Any, sync::Arc};

use resources::{
    DynObject,
    builtin::{Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec, StatefulSet},
    custom::CustomObject,
    meta::{LabelSelector, ObjectMeta},
};

/// The replica counts of an object that scales.
pub(crate) struct Replicas {
    pub(crate) wanted: i32,
    pub(crate) found: i32,
    /// The selector as its text.
    pub(crate) selector: Option<String>,
}

/// The replica counts; `None` for a kind without `/scale`.
pub(crate) fn replicas(object: &dyn DynObject) -> Option<Replicas> {
    let any: &dyn Any = object;
    if let Some(Deployment { spec, status, .. }) = any.downcast_ref() {
        return Some(Replicas {
            wanted: spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            found: status.as_ref().and_then(|status| status.replicas).unwrap_or_default(),
            selector: spec.as_ref().map(|spec| selector_text(&spec.selector)),
        });
    }
    if let Some(StatefulSet { spec, status, .. }) = any.downcast_ref() {
        return Some(Replicas {
            wanted: spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            found: status.as_ref().map(|status| status.replicas).unwrap_or_default(),
            selector: spec.as_ref().map(|spec| selector_text(&spec.selector)),
        });
    }
    if let Some(custom) = any.downcast_ref::<CustomObject>() {
        return custom_replicas(custom);
    }
    let ReplicaSet { spec, status, .. } = any.downcast_ref()?;
    Some(Replicas {
        wanted: spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        found: status.as_ref().map(|status| status.replicas).unwrap_or_default(),
        selector: spec.as_ref().map(|spec| selector_text(&spec.selector)),
    })
}

/// The replica counts of an object of a defined kind, where the definition says.
fn custom_replicas(object: &CustomObject) -> Option<Replicas> {
    let paths = object.kind().scale_paths()?;
    let value = |path: &str| object.value_at(path).cloned();
    let number = |path: &str| {
        let number = value(path).and_then(|value| value.as_i64());
        number.and_then(|number| i32::try_from(number).ok())
    };
    let selector = paths.label_selector.as_deref().and_then(value);
    Some(Replicas {
        wanted: number(&paths.spec_replicas).unwrap_or_default(),
        found: number(&paths.status_replicas).unwrap_or_default(),
        selector: selector.and_then(|selector| selector.as_str().map(str::to_owned)),
    })
}

/// A selector as its text.
fn selector_text(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let (key, values) =
            (&expression.key, expression.values.iter().flatten().cloned().collect::<Vec<_>>().join(","));
        match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    });
    equal.chain(expressions).collect::<Vec<_>>().join(",")
}

/// The object with another replica count; `None` for a kind without `/scale`.
pub(crate) fn with_replicas(object: &dyn DynObject, replicas: i32) -> Option<Arc<dyn DynObject>> {
    let any: &dyn Any = object;
    if let Some(deployment) = any.downcast_ref::<Deployment>() {
        let mut deployment = deployment.clone();
        deployment.spec.get_or_insert_default().replicas = Some(replicas);
        return Some(Arc::new(deployment));
    }
    if let Some(set) = any.downcast_ref::<StatefulSet>() {
        let mut set = set.clone();
        set.spec.get_or_insert_default().replicas = Some(replicas);
        return Some(Arc::new(set));
    }
    if let Some(custom) = any.downcast_ref::<CustomObject>() {
        let path: Vec<&str> = custom.kind().scale_paths()?.spec_replicas.split('.').skip(1).collect();
        return Some(Arc::new(custom.with_value(&path, replicas.into())));
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
