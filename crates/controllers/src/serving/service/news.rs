//! What there is to tell when a Service's status changes: what `kubectl describe ksvc` says of its trouble.

use resources::{
    condition::{self, Condition},
    serving::{SERVICE_CONDITIONS, ServiceStatus},
};

use crate::serving::events::News;

/// Why a Service is not ready any more, or now for another reason; in the words of its condition, which name the Revision
/// where that is the cause. That it is ready is told of its Configuration and Revision.
pub(super) fn news(before: &ServiceStatus, after: &ServiceStatus) -> Option<News> {
    let said = |cause: &Condition| (cause.reason.clone(), cause.message.clone());
    let is = cause(after).map(said)?;
    let was = cause(before).map(said);
    (was.as_ref() != Some(&is)).then(|| News::warning(is.0, is.1))
}

/// What keeps a Service from being ready: its Configuration rather than its Route, which fails for want of a Revision.
fn cause(status: &ServiceStatus) -> Option<&Condition> {
    let conditions = SERVICE_CONDITIONS.dependents.iter();
    conditions.filter_map(|name| condition::get(&status.conditions, name)).find(|it| it.is_false())
}

#[cfg(test)]
mod tests {
    use resources::serving::{CONFIGURATIONS_READY, ROUTES_READY};

    use super::*;

    fn status(conditions: &[(&str, &str, &str, &str)]) -> ServiceStatus {
        let condition = |(type_, status, reason, message): &(&str, &str, &str, &str)| Condition {
            type_: (*type_).into(),
            status: (*status).into(),
            reason: (*reason).into(),
            message: (*message).into(),
            ..Condition::default()
        };
        ServiceStatus { conditions: conditions.iter().map(condition).collect(), ..ServiceStatus::default() }
    }

    #[test]
    fn a_trouble_is_told_once() {
        let of_configuration = |holds: &str, message: &str| {
            status(&[
                (CONFIGURATIONS_READY, holds, "RevisionFailed", message),
                (ROUTES_READY, "Unknown", "", ""),
            ])
        };
        let (new, begun) = (ServiceStatus::default(), of_configuration("Unknown", ""));
        let (ready, failed) = (of_configuration("True", ""), of_configuration("False", "no image"));
        let otherwise = of_configuration("False", "no program");
        let routeless = status(&[
            (CONFIGURATIONS_READY, "False", "RevisionFailed", "no image"),
            (ROUTES_READY, "False", "RevisionMissing", "none is ready"),
        ]);
        let unrouted = status(&[(ROUTES_READY, "False", "NotOwned", "somebody else's")]);
        let told = |message: &str| Some(News::warning("RevisionFailed", message));
        for (before, after, expect) in [
            (&new, &begun, None),
            (&begun, &ready, None),
            (&new, &failed, told("no image")),
            (&begun, &failed, told("no image")),
            (&ready, &failed, told("no image")),
            (&failed, &failed, None),
            (&failed, &routeless, None),
            (&ready, &unrouted, Some(News::warning("NotOwned", "somebody else's"))),
            (&failed, &otherwise, told("no program")),
            (&failed, &ready, None),
        ] {
            assert_eq!(news(before, after), expect, "{before:?} to {after:?}");
        }
    }
}
