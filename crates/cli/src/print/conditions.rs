//! Conditions in lists and descriptions.

use std::cmp::Ordering;

use jiff::Timestamp;
use resources::condition::{self, Condition, READY};

use super::{
    age::short_age,
    attributes::{Attributes, Indent},
};

/// How much of a message a row has room for.
const MESSAGE_CHARS_MAX: usize = 120;

/// The CONDITIONS column: how many of them hold.
pub(crate) fn condition_count(conditions: &[Condition]) -> String {
    let holding = conditions.iter().filter(|condition| condition.is_true()).count();
    format!("{holding} OK / {}", conditions.len())
}

/// The READY column.
pub(crate) fn ready_status(conditions: &[Condition]) -> &str {
    condition::get(conditions, READY).map_or("<unknown>", |ready| &ready.status)
}

/// The REASON column: why it is not ready.
pub(crate) fn non_ready_reason(conditions: &[Condition]) -> String {
    match condition::get(conditions, READY) {
        None => "<unknown>".into(),
        Some(ready) if ready.is_true() => String::new(),
        Some(ready) if ready.message.is_empty() => ready.reason.clone(),
        Some(ready) => {
            // A row is a line; the rest stands in the description.
            let message = ready.message.lines().next().unwrap_or_default();
            let shown: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
            let more = if shown.len() < ready.message.len() { "…" } else { "" };
            format!("{} : {shown}{more}", ready.reason)
        }
    }
}

/// The `Conditions:` section; with `verbose`, messages too.
pub(crate) fn write_conditions(to: &mut Attributes, conditions: &[Condition], verbose: bool, now: Timestamp) {
    let mut sorted: Vec<&Condition> = conditions.iter().collect();
    sorted.sort_by(|one, other| order(one, other));
    let width = conditions.iter().map(|condition| condition.type_.len()).max().unwrap_or_default();
    let nested = Indent::default().nested();
    let mut line = |ok: &str, name: &str, age: &str, reason: &str| {
        to.cells(&nested, &[&format!("{ok:<2} {name:<width$} {age:>6} {reason}")]);
    };
    let mut lines = vec![("OK", "TYPE", "AGE".to_owned(), "REASON".to_owned())];
    for condition in sorted {
        let reason = match (verbose, condition.reason.is_empty()) {
            (true, false) => format!("{} ({})", condition.reason, condition.message),
            _ => condition.reason.clone(),
        };
        let age = short_age(condition.last_transition_time.as_ref(), now);
        lines.push((symbol(condition), &condition.type_, age, reason));
    }
    for (ok, name, age, reason) in &lines {
        line(ok, name, age, reason);
    }
}

/// Ready first, then errors before warnings before information, then by name.
fn order(one: &Condition, other: &Condition) -> Ordering {
    let rank = |condition: &Condition| {
        let severity = match condition.severity.as_str() {
            "" => 0,
            "Warning" => 1,
            "Info" => 2,
            _ => 3,
        };
        (condition.type_ != READY, severity)
    };
    rank(one).cmp(&rank(other)).then_with(|| one.type_.cmp(&other.type_))
}

fn symbol(condition: &Condition) -> &'static str {
    if condition.is_true() {
        return "++";
    }
    if condition.is_unknown() {
        return "??";
    }
    match condition.severity.as_str() {
        "" => "!!",
        "Warning" => " W",
        "Info" => " I",
        _ => " !",
    }
}
