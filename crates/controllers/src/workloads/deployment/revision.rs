//! The revisions of a Deployment: its ReplicaSets, numbered in the order in which their templates became current, which
//! `kubectl rollout history` shows and `undo` goes back to. Pure (upstream: kubernetes, `deploymentutil`).

use std::{collections::BTreeMap, sync::Arc};

use resources::{
    Object,
    annotations::{DEPLOYMENT_REVISION, LAST_APPLIED},
    builtin::{Deployment, ReplicaSet},
};

/// What is the Deployment's own and not its ReplicaSets'.
const KEPT: &[&str] = &[LAST_APPLIED, DEPLOYMENT_REVISION];

/// The annotations of the current ReplicaSet: what it has, what the Deployment has, and its number, which is higher than
/// those of all others.
pub(super) fn annotations(
    deployment: &Deployment,
    current: Option<&ReplicaSet>,
    old: &[Arc<ReplicaSet>],
) -> BTreeMap<String, String> {
    let mut annotations = current.and_then(|set| set.metadata.annotations.clone()).unwrap_or_default();
    let passed_on = deployment.metadata.annotations.iter().flatten();
    annotations.extend(
        passed_on
            .filter(|(key, _)| !KEPT.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    let last = old.iter().map(|set| number(set)).max().unwrap_or(0);
    let next = current.map_or(0, number).max(last.saturating_add(1));
    annotations.insert(DEPLOYMENT_REVISION.to_owned(), next.to_string());
    annotations
}

/// The number of a ReplicaSet; 0 for one that has none yet.
pub(super) fn number(set: &ReplicaSet) -> u64 {
    set.annotation(DEPLOYMENT_REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}
