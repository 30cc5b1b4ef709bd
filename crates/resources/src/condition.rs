//! Knative's conditions: a set of dependents that a top condition sums up.
//!
//! Upstream: pkg, `apis/condition_set.go`. A dependent that is False makes the top one False with its reason; one
//! that is Unknown makes it Unknown unless another is False; the top one is True when all are.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The top condition of every Knative kind.
pub const READY: &str = "Ready";

/// One condition of a Knative object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// The condition's name, `Ready`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Empty for an error, `Info` for what does not count.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub severity: String,
    /// When the status last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// One CamelCase word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A sentence for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The value of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold and will not without a change.
    False,
    /// It is being worked on.
    Unknown,
}

impl Status {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl Condition {
    /// Whether the condition is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether the condition is `False`.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }

    /// Whether the condition is neither.
    pub fn is_unknown(&self) -> bool {
        !self.is_true() && !self.is_false()
    }
}

/// Which conditions a kind has besides `Ready`.
#[derive(Clone, Copy, Debug)]
pub struct ConditionSet {
    /// The conditions that `Ready` sums up.
    pub dependents: &'static [&'static str],
}

impl ConditionSet {
    /// Gives every condition that is missing its first value, and drops none.
    pub fn initialize(&self, conditions: &mut Vec<Condition>, now: &Time) {
        let was_ready = get(conditions, READY).is_some_and(Condition::is_true);
        let first = if was_ready { Status::True } else { Status::Unknown };
        for name in self.dependents {
            if get(conditions, name).is_none() {
                set(conditions, name, first, "", "", "", now);
            }
        }
        if get(conditions, READY).is_none() {
            set(conditions, READY, Status::Unknown, "", "", "", now);
        }
    }

    /// Marks a condition and sums up.
    pub fn mark(
        &self,
        conditions: &mut Vec<Condition>,
        name: &str,
        status: Status,
        reason: &str,
        message: &str,
        now: &Time,
    ) {
        let counts = name == READY || self.dependents.contains(&name);
        set(conditions, name, status, if counts { "" } else { "Info" }, reason, message, now);
        if name != READY && counts {
            self.sum_up(conditions, now);
        }
    }

    /// Sets `Ready` from its dependents: the most recent False, else the most recent Unknown, else True.
    pub fn sum_up(&self, conditions: &mut Vec<Condition>, now: &Time) {
        let latest = |conditions: &[Condition], wanted: fn(&Condition) -> bool| {
            conditions
                .iter()
                .filter(|condition| self.dependents.contains(&condition.type_.as_str()) && wanted(condition))
                .max_by_key(|condition| {
                    let order = self.dependents.iter().position(|name| *name == condition.type_);
                    // Of those that changed within one second, the precision of the API, the first is the cause.
                    (condition.last_transition_time.as_ref().map(|time| time.0.as_second()), Reverse(order))
                })
                .cloned()
        };
        let missing = self.dependents.iter().any(|name| get(conditions, name).is_none());
        if let Some(failed) = latest(conditions, Condition::is_false) {
            set(conditions, READY, Status::False, "", &failed.reason, &failed.message, now);
        } else if let Some(unknown) = latest(conditions, Condition::is_unknown) {
            set(conditions, READY, Status::Unknown, "", &unknown.reason, &unknown.message, now);
        } else {
            let status = if missing { Status::Unknown } else { Status::True };
            set(conditions, READY, status, "", "", "", now);
        }
    }
}

/// A condition by name.
pub fn get<'a>(conditions: &'a [Condition], name: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == name)
}

/// Sets one condition; its transition time moves only when something changed. Keeps the list sorted by name.
pub fn set(
    conditions: &mut Vec<Condition>,
    name: &str,
    status: Status,
    severity: &str,
    reason: &str,
    message: &str,
    now: &Time,
) {
    let mut next = Condition {
        type_: name.to_owned(),
        status: status.as_str().to_owned(),
        severity: severity.to_owned(),
        last_transition_time: Some(now.clone()),
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    match conditions.binary_search_by(|condition| condition.type_.as_str().cmp(name)) {
        Ok(at) => {
            let same = Condition {
                last_transition_time: next.last_transition_time.clone(),
                ..conditions[at].clone()
            };
            if same == next {
                next.last_transition_time = conditions[at].last_transition_time.clone();
            }
            conditions[at] = next;
        }
        Err(at) => conditions.insert(at, next),
    }
}
