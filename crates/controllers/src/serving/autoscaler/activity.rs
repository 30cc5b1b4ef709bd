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

/// An activation counts from when somebody began to work on it: at the earliest from the start of this controller.
pub(super) fn attended(activity: Activity, started: Time) -> Activity {
    match activity {
        Activity::Activating { since } => Activity::Activating { since: since.max(started) },
        activity => activity,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_counts_from_the_start_of_the_controller() {
        let (early, start, late) = (Time::from_secs(10), Time::from_secs(20), Time::from_secs(30));
        for (activity, expect) in [
            (Activity::Activating { since: early }, Activity::Activating { since: start }),
            (Activity::Activating { since: late }, Activity::Activating { since: late }),
            (Activity::Active { since: early }, Activity::Active { since: early }),
            (Activity::Inactive { since: early }, Activity::Inactive { since: early }),
        ] {
            assert_eq!(attended(activity, start), expect, "{activity:?}");
        }
    }
}
