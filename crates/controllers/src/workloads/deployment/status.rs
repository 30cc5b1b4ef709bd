//! A Deployment's status from its ReplicaSets. Pure (upstream: kubernetes, deployment progress).

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use resources::{
    Object,
    builtin::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetCondition},
    meta::Time,
};

use super::rollout;
use crate::workloads::{
    pods::count,
    replica_set::REPLICA_FAILURE,
    stand_in::{PROVIDED, explanation},
};

/// The reason of a rollout that is over.
const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
/// The reason of one that did not get on in time.
const DEADLINE_EXCEEDED: &str = "ProgressDeadlineExceeded";

/// The status, and when to look again if nothing happens before: at the progress deadline. Only a paused Deployment may
/// have no `current` set.
///
/// `started`: since when somebody works on Deployments. Before that, none could get on.
pub(super) fn status(
    deployment: &Deployment,
    current: Option<&ReplicaSet>,
    old: &[Arc<ReplicaSet>],
    started: &Time,
    now: &Time,
) -> (DeploymentStatus, Option<Duration>) {
    let before = deployment.status.clone().unwrap_or_default();
    let ready = |set: &ReplicaSet| set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
    let sum =
        |of: &dyn Fn(&ReplicaSet) -> i32| current.map_or(0, of) + old.iter().map(|set| of(set)).sum::<i32>();
    let total = sum(&rollout::existing);
    let available = sum(&rollout::available);
    let replicas = rollout::replicas(deployment);
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: count(total),
        updated_replicas: count(current.map_or(0, rollout::existing)),
        ready_replicas: count(sum(&ready)),
        available_replicas: count(available),
        unavailable_replicas: count((replicas.max(total) - available).max(0)),
        ..before.clone()
    };
    let mut conditions = before.conditions.clone().unwrap_or_default();

    let minimum = rollout::minimum_available(deployment);
    let (value, reason, message) = if available >= minimum {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set(&mut conditions, "Available", value, reason, message.to_owned(), false, now);

    let again = match current {
        Some(current) if !rollout::is_paused(deployment) => {
            progress(deployment, current, (&before, &status), &mut conditions, started, now)
        }
        _ => {
            let message = "Deployment is paused".to_owned();
            set(&mut conditions, "Progressing", "Unknown", "DeploymentPaused", message, false, now);
            None
        }
    };
    let sets = current.into_iter().chain(old.iter().map(|set| &**set));
    match sets.filter_map(failure).next() {
        Some(failure) => {
            let [reason, message] =
                [&failure.reason, &failure.message].map(|text| text.clone().unwrap_or_default());
            set(&mut conditions, REPLICA_FAILURE, &failure.status, &reason, message, false, now);
        }
        None => conditions.retain(|condition| condition.type_ != REPLICA_FAILURE),
    }
    status.conditions = Some(conditions);
    (status, again)
}

/// The status of a part of Ebb itself: all of it is there.
pub(super) fn provided(deployment: &Deployment, now: &Time) -> DeploymentStatus {
    let before = deployment.status.clone().unwrap_or_default();
    let mut conditions = before.conditions.unwrap_or_default();
    set(&mut conditions, "Available", "True", PROVIDED, explanation::<Deployment>(), false, now);
    let replicas = count(rollout::replicas(deployment));
    DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas,
        updated_replicas: replicas,
        ready_replicas: replicas,
        available_replicas: replicas,
        conditions: Some(conditions),
        ..DeploymentStatus::default()
    }
}

/// That a set could not make its pods.
fn failure(set: &ReplicaSet) -> Option<&ReplicaSetCondition> {
    let conditions = set.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == REPLICA_FAILURE)
}

fn progress(
    deployment: &Deployment,
    current: &ReplicaSet,
    (before, after): (&DeploymentStatus, &DeploymentStatus),
    conditions: &mut Vec<DeploymentCondition>,
    started: &Time,
    now: &Time,
) -> Option<Duration> {
    let replicas = count(rollout::replicas(deployment));
    let name = current.name();
    let complete = after.updated_replicas == replicas
        && after.replicas == replicas
        && after.available_replicas == replicas
        && rollout::wanted(current) == rollout::replicas(deployment);
    let last = conditions.iter().find(|condition| condition.type_ == "Progressing").cloned();
    let says = |reason: &str| last.as_ref().is_some_and(|last| last.reason.as_deref() == Some(reason));
    // Whoever wants none has missed nothing: what is wanted after that is another try. That the last pods are not gone
    // yet does not count, or it would depend on how soon another is wanted.
    let given_up = rollout::replicas(deployment) == 0 && says(DEADLINE_EXCEEDED);
    if complete || given_up {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        set(conditions, "Progressing", "True", NEW_SET_AVAILABLE, message, false, now);
        return None;
    }
    let done = says(NEW_SET_AVAILABLE);
    let same_set =
        last.as_ref().is_some_and(|last| last.message.as_deref().is_some_and(|text| text.contains(name)));
    if done && same_set {
        // A finished rollout that only changed its size has no deadline.
        return None;
    }
    let moved = after.updated_replicas > before.updated_replicas
        || after.ready_replicas > before.ready_replicas
        || after.available_replicas > before.available_replicas
        || !same_set;
    let message = format!("ReplicaSet \"{name}\" is progressing.");
    if moved || last.is_none() {
        set(conditions, "Progressing", "True", "ReplicaSetUpdated", message, true, now);
    } else if says(DEADLINE_EXCEEDED) {
        // It stays missed until something moves.
        return None;
    }
    let deadline = deployment.spec.as_ref().and_then(|spec| spec.progress_deadline_seconds).unwrap_or(600);
    let since =
        conditions.iter().find(|condition| condition.type_ == "Progressing")?.last_update_time.clone()?;
    let left = SignedDuration::from_secs(deadline.into()) - now.0.duration_since(since.0.max(started.0));
    if left > SignedDuration::ZERO {
        return Duration::try_from(left).ok();
    }
    let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
    set(conditions, "Progressing", "False", DEADLINE_EXCEEDED, message, false, now);
    None
}

fn set(
    conditions: &mut Vec<DeploymentCondition>,
    name: &str,
    value: &str,
    reason: &str,
    message: String,
    touch: bool,
    now: &Time,
) {
    let last = conditions.iter().position(|condition| condition.type_ == name);
    let mut next = DeploymentCondition {
        type_: name.to_owned(),
        status: value.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_update_time: Some(now.clone()),
        last_transition_time: Some(now.clone()),
    };
    let Some(at) = last else { return conditions.push(next) };
    let last = &conditions[at];
    if last.status == next.status {
        next.last_transition_time = last.last_transition_time.clone();
        if last.reason == next.reason && !touch {
            next.last_update_time = last.last_update_time.clone();
        }
    }
    conditions[at] = next;
}
