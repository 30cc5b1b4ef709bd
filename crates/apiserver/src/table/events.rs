//! Cells of events, in either of their forms (upstream: `pkg/printers/internalversion`, `printEvent`).

use jiff::Timestamp;
use serde_json::Value;

use super::{age, number, text};

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    let times = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/firstTimestamp",
        "/deprecatedFirstTimestamp",
        "/eventTime",
    ];
    age::since(first(event, &times), now).into()
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    let times = ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"];
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
    let kind = first_text(event, &["/involvedObject/kind", "/regarding/kind"]).to_lowercase();
    match first_text(event, &["/involvedObject/name", "/regarding/name"]) {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

pub(super) fn subobject(event: &Value, _: Timestamp) -> Value {
    first_text(event, &["/involvedObject/fieldPath", "/regarding/fieldPath"]).into()
}

pub(super) fn source(event: &Value, _: Timestamp) -> Value {
    let components =
        ["/source/component", "/deprecatedSource/component", "/reportingComponent", "/reportingController"];
    let component = first_text(event, &components);
    match first_text(event, &["/source/host", "/deprecatedSource/host", "/reportingInstance"]) {
        "" => component.into(),
        host => format!("{component}, {host}").into(),
    }
}

pub(super) fn message(event: &Value, _: Timestamp) -> Value {
    first_text(event, &["/message", "/note"]).trim().into()
}

pub(super) fn count(event: &Value, _: Timestamp) -> Value {
    let counts = ["/series/count", "/count", "/deprecatedCount"].map(|pointer| number(event, pointer));
    counts.into_iter().find(|count| *count > 0).unwrap_or(1).into()
}
