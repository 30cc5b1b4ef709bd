//! How many pods the new and the old ReplicaSets get at each step. Pure (upstream: kubernetes, deployment rolling and recreate).

use std::sync::Arc;

use jiff::Timestamp;
use resources::{
    builtin::{Deployment, ReplicaSet},
    meta::IntOrString,
};

/// How many pods a set should have.
pub(super) fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// How many pods a set has.
pub(super) fn existing(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |status| status.replicas)
}

/// Whether none of a set's pods runs any more, not even one that is ending.
fn is_empty(set: &ReplicaSet) -> bool {
    let ending = set.status.as_ref().and_then(|status| status.terminating_replicas);
    existing(set) == 0 && ending.unwrap_or(0) == 0
}

/// How many pods of a set are available.
pub(super) fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

/// How many pods a Deployment wants.
pub(super) fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// Whether the Deployment goes on to no other template for now.
pub(super) fn is_paused(deployment: &Deployment) -> bool {
    deployment.spec.as_ref().and_then(|spec| spec.paused).unwrap_or(false)
}

fn created(set: &ReplicaSet) -> Option<Timestamp> {
    set.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// As [`sizes`] for a paused Deployment: the only set that has pods, or else the newest, follows the Deployment's size.
/// Between two sets nothing moves.
pub(super) fn paused_size(
    deployment: &Deployment,
    sets: &[Arc<ReplicaSet>],
) -> Option<(Arc<ReplicaSet>, i32)> {
    let active: Vec<_> = sets.iter().filter(|set| wanted(set) > 0).collect();
    let newest = || sets.iter().max_by_key(|set| created(set));
    let set = match active[..] {
        [] => newest()?,
        [only] => only,
        _ => return None,
    };
    let replicas = replicas(deployment);
    (wanted(set) != replicas).then(|| (Arc::clone(set), replicas))
}

/// The size a new ReplicaSet starts with.
pub(super) fn first_size(deployment: &Deployment, old: &[Arc<ReplicaSet>]) -> i32 {
    let replicas = replicas(deployment);
    if recreates(deployment) {
        return if old.iter().all(|set| is_empty(set) && wanted(set) == 0) { replicas } else { 0 };
    }
    let room = replicas.saturating_add(surge(deployment)) - old.iter().map(|set| wanted(set)).sum::<i32>();
    room.clamp(0, replicas)
}

/// The sets whose size must change now, and to what.
pub(super) fn sizes(
    deployment: &Deployment,
    current: &Arc<ReplicaSet>,
    old: &[Arc<ReplicaSet>],
) -> Vec<(Arc<ReplicaSet>, i32)> {
    let mut sizes = if recreates(deployment) {
        recreate(deployment, current, old)
    } else {
        let mut sizes =
            vec![(Arc::clone(current), first_size(deployment, old).max(kept(deployment, current)))];
        sizes.extend(shrink(deployment, current, old));
        sizes
    };
    sizes.retain(|(set, size)| wanted(set) != *size);
    sizes
}

/// A set is never made smaller than it is only because old sets still take room.
fn kept(deployment: &Deployment, current: &ReplicaSet) -> i32 {
    wanted(current).min(replicas(deployment))
}

fn recreate(
    deployment: &Deployment,
    current: &Arc<ReplicaSet>,
    old: &[Arc<ReplicaSet>],
) -> Vec<(Arc<ReplicaSet>, i32)> {
    let mut sizes: Vec<_> = old.iter().map(|set| (Arc::clone(set), 0)).collect();
    if old.iter().all(|set| is_empty(set)) {
        sizes.push((Arc::clone(current), replicas(deployment)));
    }
    sizes
}

/// Old sets give up what the minimum of available pods allows: first what is not available anyway, oldest first.
fn shrink(
    deployment: &Deployment,
    current: &ReplicaSet,
    old: &[Arc<ReplicaSet>],
) -> Vec<(Arc<ReplicaSet>, i32)> {
    let minimum = replicas(deployment) - unavailable(deployment);
    let total = wanted(current) + old.iter().map(|set| wanted(set)).sum::<i32>();
    let mut allowed = (total - minimum - (wanted(current) - available(current)).max(0)).max(0);
    let mut old: Vec<_> = old.iter().map(|set| (Arc::clone(set), wanted(set))).collect();
    old.sort_by_key(|(set, _)| created(set));
    for (set, size) in &mut old {
        let gone = (*size - available(set)).clamp(0, allowed);
        *size -= gone;
        allowed -= gone;
    }
    let have: i32 = available(current) + old.iter().map(|(set, size)| available(set).min(*size)).sum::<i32>();
    let mut allowed = allowed.min((have - minimum).max(0));
    for (_, size) in &mut old {
        let gone = (*size).clamp(0, allowed);
        *size -= gone;
        allowed -= gone;
    }
    old
}

fn recreates(deployment: &Deployment) -> bool {
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate")
}

/// `maxSurge` as a number of pods, rounded up.
fn surge(deployment: &Deployment) -> i32 {
    resolve(
        deployment,
        |rolling| rolling.max_surge.as_ref(),
        |part, whole| i32::try_from((part * whole + 99) / 100).unwrap_or(i32::MAX),
    )
}

/// `maxUnavailable` as a number of pods, rounded down; 1 when neither allows a step.
fn unavailable(deployment: &Deployment) -> i32 {
    let pods = resolve(
        deployment,
        |rolling| rolling.max_unavailable.as_ref(),
        |part, whole| i32::try_from(part * whole / 100).unwrap_or(i32::MAX),
    );
    if pods == 0 && surge(deployment) == 0 { 1 } else { pods }
}

fn resolve(
    deployment: &Deployment,
    field: impl Fn(&resources::builtin::RollingUpdateDeployment) -> Option<&IntOrString>,
    percent: impl Fn(i64, i64) -> i32,
) -> i32 {
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    let value = strategy.and_then(|strategy| strategy.rolling_update.as_ref()).and_then(field);
    match value {
        Some(IntOrString::Int(pods)) => *pods,
        Some(IntOrString::String(text)) => {
            percent(text.trim_end_matches('%').parse().unwrap_or(25), replicas(deployment).into())
        }
        None => percent(25, replicas(deployment).into()),
    }
}

/// How many pods must be available for the Deployment to count as available.
pub(super) fn minimum_available(deployment: &Deployment) -> i32 {
    (replicas(deployment) - unavailable(deployment)).max(0)
}
