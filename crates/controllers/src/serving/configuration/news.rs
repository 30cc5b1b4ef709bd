//! What there is to tell when a Configuration's status changes.

use resources::{
    condition::{self, Condition, READY},
    serving::ConfigurationStatus,
};

use super::status::LatestCreated;
use crate::serving::events::News;

/// What is new in `after`, oldest first.
pub(super) fn news(
    before: &ConfigurationStatus,
    after: &ConfigurationStatus,
    latest: &LatestCreated,
) -> Vec<News> {
    let mut news = Vec::new();
    let (was, is) = (ready(before), ready(after));
    let same = |was: &Condition, is: &Condition| was.status == is.status && was.message == is.message;
    if let Some(is) = is.filter(|is| !was.is_some_and(|was| same(was, is))) {
        if is.is_true() {
            news.push(News::normal("ConfigurationReady", "Configuration becomes ready"));
        } else if is.is_false() {
            let reason = match latest {
                LatestCreated::Refused(_) => "CreationFailed",
                LatestCreated::Made(_) => "LatestCreatedFailed",
            };
            news.push(News::warning(reason, is.message.clone()));
        }
    }
    if let Some(name) = &after.latest_ready_revision_name
        && before.latest_ready_revision_name.as_ref() != Some(name)
    {
        news.push(News::normal("LatestReadyUpdate", format!("LatestReadyRevisionName updated to {name:?}")));
    }
    news
}

fn ready(status: &ConfigurationStatus) -> Option<&Condition> {
    condition::get(&status.conditions, READY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(ready: &str, message: &str, latest_ready: Option<&str>) -> ConfigurationStatus {
        let condition = Condition {
            type_: READY.into(),
            status: ready.into(),
            message: message.into(),
            ..Condition::default()
        };
        ConfigurationStatus {
            conditions: vec![condition],
            latest_ready_revision_name: latest_ready.map(str::to_owned),
            ..ConfigurationStatus::default()
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let new = ConfigurationStatus::default();
        let refused = LatestCreated::Refused("no".into());
        let is_ready = News::normal("ConfigurationReady", "Configuration becomes ready");
        let updated = |name: &str| {
            News::normal("LatestReadyUpdate", format!("LatestReadyRevisionName updated to {name:?}"))
        };
        let cases = [
            (new.clone(), status("Unknown", "", None), vec![]),
            (new, status("True", "", Some("a-1")), vec![is_ready.clone(), updated("a-1")]),
            (status("True", "", Some("a-1")), status("True", "", Some("a-1")), vec![]),
            (status("True", "", Some("a-1")), status("True", "", Some("a-2")), vec![updated("a-2")]),
            (
                status("True", "", Some("a-1")),
                status("False", "no", Some("a-1")),
                vec![News::warning("CreationFailed", "no")],
            ),
            (status("False", "no", None), status("False", "no", None), vec![]),
            (
                status("False", "no", None),
                status("False", "never", None),
                vec![News::warning("CreationFailed", "never")],
            ),
            (status("False", "no", None), status("True", "", None), vec![is_ready]),
        ];
        for (before, after, expect) in cases {
            assert_eq!(news(&before, &after, &refused), expect, "{before:?} to {after:?}");
        }
    }
}
