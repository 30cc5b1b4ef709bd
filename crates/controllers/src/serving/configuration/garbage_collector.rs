//! Which Revisions nobody needs any more (upstream: serving, reconciler/revision/gc).

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use resources::{
    Object,
    annotations::{NO_GC, ROUTING_STATE_MODIFIED},
    config::{GarbageCollection, Retention},
    labels::{ROUTING_STATE, ROUTING_STATE_RESERVE},
    serving::{Configuration, Revision},
};

/// So long after it has reached its age a Revision is past it for certain: times in metadata are whole seconds.
const TICK: Duration = Duration::from_secs(1);

/// What is to be done about the Revisions of a Configuration.
#[derive(Debug, Default)]
pub(super) struct Surplus {
    /// To be deleted.
    pub(super) now: Vec<Arc<Revision>>,
    /// When to look again though nothing changed: the next one becomes old then.
    pub(super) next: Option<Duration>,
}

/// Of the Revisions that no Route leads to, the old ones beyond the minimum and the oldest beyond the maximum are surplus.
pub(super) fn surplus(
    configuration: &Configuration,
    revisions: &[Arc<Revision>],
    limits: &GarbageCollection,
    now: Timestamp,
) -> Surplus {
    let min = usize::try_from(limits.min_non_active_revisions).unwrap_or(0);
    if revisions.len() <= min {
        return Surplus::default();
    }
    let latest_ready = configuration.status.latest_ready_revision_name.as_deref();
    let mut candidates: Vec<_> =
        revisions.iter().filter(|revision| is_candidate(revision, latest_ready)).cloned().collect();
    candidates.sort_by_key(|revision| last_active(revision));

    let mut left = candidates.len();
    let max = match limits.max_non_active_revisions {
        Retention::Limit(max) => usize::try_from(max).unwrap_or(usize::MAX),
        Retention::Disabled => usize::MAX,
    };
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    for revision in candidates {
        if left > min && stale_at(&revision, limits).is_some_and(|at| at < now) {
            left -= 1;
            deleted.push(revision);
        } else {
            kept.push(revision);
        }
    }
    // Beyond the maximum age does not matter.
    deleted.extend(kept.drain(..left.saturating_sub(max)));
    let next = kept.iter().filter_map(|revision| stale_at(revision, limits)).min();
    let next =
        next.filter(|_| kept.len() > min).and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    Surplus { now: deleted, next: next.map(|left| left + TICK) }
}

fn is_candidate(revision: &Revision, latest_ready: Option<&str>) -> bool {
    Some(revision.name()) != latest_ready
        && revision.label(ROUTING_STATE) == Some(ROUTING_STATE_RESERVE)
        && revision.annotation(NO_GC) != Some("true")
        && !revision.is_deleting()
}

/// When both ages that are limited have reached their limits; never without any limit. It is stale after that.
fn stale_at(revision: &Revision, limits: &GarbageCollection) -> Option<Timestamp> {
    let reached = |limit: Retention<Duration>, since: Timestamp| match limit {
        Retention::Disabled => None,
        Retention::Limit(limit) => {
            let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
            Some(since.checked_add(limit).unwrap_or(Timestamp::MAX))
        }
    };
    let ages = [
        reached(limits.retain_since_create_time, created(revision)),
        reached(limits.retain_since_last_active_time, last_active(revision)),
    ];
    ages.into_iter().flatten().max()
}

fn last_active(revision: &Revision) -> Timestamp {
    let modified = revision.annotation(ROUTING_STATE_MODIFIED).and_then(|text| text.parse().ok());
    modified.unwrap_or_else(|| created(revision))
}

fn created(revision: &Revision) -> Timestamp {
    revision.metadata.creation_timestamp.as_ref().map_or(Timestamp::MAX, |time| time.0)
}

#[cfg(test)]
mod tests;
