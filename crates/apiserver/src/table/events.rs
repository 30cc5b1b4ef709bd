//! Cells of events (upstream: `pkg/printers/internalversion`, `printEvent`).

use jiff::Timestamp;
use serde_json::Value;

use super::{age, number, text};

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    age::since(first(event, &times), now).into()
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    age::since(first(event, &["/firstTimestamp", "/eventTime"]), now).into()
}

fn first<'a>(event: &'a Value, pointers: &[&str]) -> Option<&'a Value> {
    pointers.iter().find_map(|pointer| event.pointer(pointer).filter(|time| !time.is_null()))
}

/// `pod/hello`.
pub(super) fn object(event: &Value, _: Timestamp) -> Value {
    let (kind, name) = (text(event, "/involvedObject/kind"), text(event, "/involvedObject/name"));
    if name.is_empty() {
        kind.to_lowercase().into()
    } else {
        format!("{}/{name}", kind.to_lowercase()).into()
    }
}

pub(super) fn source(event: &Value, _: Timestamp) -> Value {
    let (component, host) = (text(event, "/source/component"), text(event, "/source/host"));
    let component = if component.is_empty() { text(event, "/reportingComponent") } else { component };
    if host.is_empty() { component.into() } else { format!("{component}, {host}").into() }
}

pub(super) fn message(event: &Value, _: Timestamp) -> Value {
    text(event, "/message").trim().into()
}

pub(super) fn count(event: &Value, _: Timestamp) -> Value {
    let series = number(event, "/series/count");
    let count = if series > 0 { series } else { number(event, "/count").max(1) };
    count.into()
}
