//! A PodAutoscaler's conditions in the autoscaler's terms, and times.

use autoscaler::{ActiveCondition, Activity, InactiveReason, Time};
use jiff::Timestamp;
use resources::{
    autoscaling::{ACTIVE, PodAutoscaler},
    condition::{self, Condition},
};

use crate::serving::verdict::Verdict;

/// A moment of the day, which conditions tell, as the autoscaler counts it: since the epoch. Moments before that are
/// the epoch.
pub(super) fn time(moment: Timestamp) -> Time {
    Time::try_from(moment.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}

/// When a condition became what it is.
fn since(condition: &Condition) -> Time {
    condition.last_transition_time.as_ref().map_or(Time::ZERO, |at| time(at.0))
}

/// The condition Active; `None` when it was never set.
pub(super) fn activity(autoscaler: &PodAutoscaler) -> Option<Activity> {
    let active = condition::get(&autoscaler.status.conditions, ACTIVE)?;
    let since = since(active);
    Some(match active.status.as_str() {
        "True" => Activity::Active { since },
        "False" => Activity::Inactive { since },
        _ => Activity::Activating { since },
    })
}

/// What the condition Active shall say; `None` leaves it.
pub(super) fn verdict(active: ActiveCondition) -> Option<Verdict> {
    Some(match active {
        ActiveCondition::Unchanged => return None,
        ActiveCondition::Active => Verdict::yes(),
        ActiveCondition::Activating => Verdict::unknown(
            "Queued",
            "Requests to the target are being buffered as resources are provisioned.",
        ),
        ActiveCondition::Inactive(InactiveReason::NoTraffic) => {
            Verdict::no("NoTraffic", "The target is not receiving traffic.")
        }
        ActiveCondition::Inactive(InactiveReason::TimedOut) => {
            Verdict::no("TimedOut", "The target could not be activated.")
        }
    })
}
