//! Cells of events (upstream: `pkg/printers/internalversion`, `printEvent`).

use jiff::Timestamp;
use serde_json::Value;

use super::{age, number, text};

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/firstTimestamp", "/eventTime"];
    age::since(first(event, &times), now).into()
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    let times = ["/firstTimestamp", "/eventTime"];
    age::since(first(event, &times), now).into()
}

fn first<'a>(event: &'a Value, pointers: &[&str]) -> Option<&'a Value> {
    pointers.iter().find_map(|pointer| event.pointer(pointer).filter(|time| !time.is_null()))
}

/// The text at the first of some places that has one.
fn first_text<'a>(event: &'a Value, pointers: &[&str]) -> &'a str {
    let mut texts = pointers.iter().map(|pointer| text(event, pointer));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// `pod/hello`.
pub(super) fn object(event: &Value, _: Timestamp) -> Value {
    let kind = text(event, "/involvedObject/kind").to_lowercase();
    match text(event, "/involvedObject/name") {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

pub(super) fn subobject(event: &Value, _: Timestamp) -> Value {
    text(event, "/involvedObject/fieldPath").into()
}

pub(super) fn source(event: &Value, _: Timestamp) -> Value {
    let component = first_text(event, &["/source/component", "/reportingComponent"]);
    match first_text(event, &["/source/host", "/reportingInstance"]) {
        "" => component.into(),
        host => format!("{component}, {host}").into(),
    }
}

pub(super) fn message(event: &Value, _: Timestamp) -> Value {
    text(event, "/message").trim().into()
}

pub(super) fn count(event: &Value, _: Timestamp) -> Value {
    let counts = ["/series/count", "/count"].map(|pointer| number(event, pointer));
    counts.into_iter().find(|count| *count > 0).unwrap_or(1).into()
}
