//! Ages as `kubectl` shows them.

use jiff::Timestamp;
use resources::duration::human;
use serde_json::Value;

/// How long ago a time was; `<unknown>` when there is none.
pub(super) fn since(time: Option<&Value>, now: Timestamp) -> String {
    match time.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(time) => human(now.as_second() - time.as_second()),
        None => "<unknown>".into(),
    }
}
