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

/// The Revisions to delete: of those that no Route leads to, the old ones beyond the minimum and the oldest beyond the
/// maximum.
pub(super) fn surplus(
    configuration: &Configuration,
    revisions: &[Arc<Revision>],
    limits: &GarbageCollection,
    now: Timestamp,
) -> Vec<Arc<Revision>> {
    let min = usize::try_from(limits.min_non_active_revisions).unwrap_or(0);
    if revisions.len() <= min {
        return Vec::new();
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
        if left > min && is_stale(&revision, limits, now) {
            left -= 1;
            deleted.push(revision);
        } else {
            kept.push(revision);
        }
    }
    // Beyond the maximum age does not matter.
    deleted.extend(kept.drain(..left.saturating_sub(max)));
    deleted
}

fn is_candidate(revision: &Revision, latest_ready: Option<&str>) -> bool {
    Some(revision.name()) != latest_ready
        && revision.label(ROUTING_STATE) == Some(ROUTING_STATE_RESERVE)
        && revision.annotation(NO_GC) != Some("true")
        && !revision.is_deleting()
}

/// Whether both ages that are limited are past their limits; without any limit nothing is ever stale.
fn is_stale(revision: &Revision, limits: &GarbageCollection, now: Timestamp) -> bool {
    let past = |limit: Retention<Duration>, since: Timestamp| match limit {
        Retention::Disabled => None,
        Retention::Limit(limit) => {
            Some(now.duration_since(since) > SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX))
        }
    };
    let ages = [
        past(limits.retain_since_create_time, created(revision)),
        past(limits.retain_since_last_active_time, last_active(revision)),
    ];
    let mut limited = ages.into_iter().flatten().peekable();
    limited.peek().is_some() && limited.all(|past| past)
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
