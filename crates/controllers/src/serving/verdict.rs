//! What a condition shall say, before it is written down.

use resources::{
    condition::{Condition, ConditionSet, Status},
    meta::Time,
};

/// What a condition shall say. Reconcilers decide on one for each condition and mark each once, so that a condition
/// never moves to and fro within one reconcile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Verdict {
    pub(crate) fn yes() -> Self {
        Self { status: Status::True, reason: String::new(), message: String::new() }
    }

    pub(crate) fn no(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: Status::False, reason: reason.into(), message: message.into() }
    }

    pub(crate) fn unknown(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: Status::Unknown, reason: reason.into(), message: message.into() }
    }

    /// True, with a reason all the same.
    pub(crate) fn yes_because(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: Status::True, ..Self::no(reason, message) }
    }

    /// What another object's condition says; one that is missing is Unknown.
    pub(crate) fn of(condition: Option<&Condition>) -> Self {
        let Some(condition) = condition else { return Self::unknown("", "") };
        let status = match condition.status.as_str() {
            "True" => Status::True,
            "False" => Status::False,
            _ => Status::Unknown,
        };
        // A reason explains why something does not hold yet; it is old news once it does.
        if status == Status::True {
            return Self::yes();
        }
        Self { status, reason: condition.reason.clone(), message: condition.message.clone() }
    }

    pub(crate) fn is_false(&self) -> bool {
        self.status == Status::False
    }
}

/// Writes verdicts into an object's conditions.
pub(crate) fn mark<'a>(
    set: &ConditionSet,
    conditions: &mut Vec<Condition>,
    verdicts: impl IntoIterator<Item = (&'a str, Verdict)>,
    now: &Time,
) {
    set.initialize(conditions, now);
    for (name, verdict) in verdicts {
        set.mark(conditions, name, verdict.status, &verdict.reason, &verdict.message, now);
    }
}
