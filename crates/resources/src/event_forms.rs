//! The two forms of an Event: that of the core group, which is stored, and that of `events.k8s.io` (upstream: kubernetes,
//! `pkg/apis/events/v1/conversion.go`). Each has all that the other has.

use jiff::Timestamp;

use crate::{
    builtin::{Event, EventSeries, EventSource, events},
    meta::MicroTime,
};

/// What a series that does not say when it was last observed has in the form that has no place for nothing.
const NEVER: MicroTime = MicroTime(Timestamp::UNIX_EPOCH);

/// What the core group and `events.k8s.io` call differently.
pub(crate) const RENAMED: &[(&str, &str)] = &[
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
];

/// An event as `events.k8s.io` has it.
pub(crate) fn of_core(event: &Event) -> events::Event {
    let event = event.clone();
    // The core group writes what says nothing, too.
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    events::Event {
        action: event.action,
        deprecated_count: event.count,
        deprecated_first_timestamp: event.first_timestamp,
        deprecated_last_timestamp: event.last_timestamp,
        deprecated_source: event.source.filter(|source| *source != EventSource::default()),
        event_time: event.event_time,
        metadata: event.metadata,
        note: event.message,
        reason: event.reason,
        regarding: Some(event.involved_object),
        related: event.related,
        reporting_controller: said(event.reporting_component),
        reporting_instance: said(event.reporting_instance),
        series: event.series.map(|series| events::EventSeries {
            count: series.count.unwrap_or_default(),
            last_observed_time: series.last_observed_time.unwrap_or(NEVER),
        }),
        type_: event.type_,
    }
}

/// An event as the core group has it.
pub(crate) fn to_core(event: &events::Event) -> Event {
    let event = event.clone();
    Event {
        action: event.action,
        count: event.deprecated_count,
        event_time: event.event_time,
        first_timestamp: event.deprecated_first_timestamp,
        involved_object: event.regarding.unwrap_or_default(),
        last_timestamp: event.deprecated_last_timestamp,
        message: event.note,
        metadata: event.metadata,
        reason: event.reason,
        related: event.related,
        reporting_component: event.reporting_controller,
        reporting_instance: event.reporting_instance,
        series: event.series.map(|series| EventSeries {
            count: Some(series.count),
            last_observed_time: Some(series.last_observed_time).filter(|time| *time != NEVER),
        }),
        source: event.deprecated_source,
        type_: event.type_,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::kinds;

    /// An event with all fields, as each of the groups has it.
    fn both() -> [Value; 2] {
        let about = json!({"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "n"});
        let other = json!({"kind": "Node", "name": "m"});
        let (first, last) = ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z");
        let series = json!({"count": 3, "lastObservedTime": "2026-01-01T00:02:00.000001Z"});
        let alike = json!({
            "metadata": {"name": "e", "namespace": "n", "labels": {"a": "b"}}, "action": "Pulling", "reason": "Pulled",
            "type": "Normal", "related": other, "reportingInstance": "i", "series": series,
            "eventTime": "2026-01-01T00:00:00.000001Z",
        });
        let with = |fields: Value| {
            let mut all = alike.as_object().unwrap().clone();
            all.extend(fields.as_object().unwrap().clone());
            Value::Object(all)
        };
        let core = with(json!({
            "apiVersion": "v1", "kind": "Event", "involvedObject": about, "message": "m", "count": 2,
            "source": {"component": "c", "host": "h"}, "firstTimestamp": first, "lastTimestamp": last,
            "reportingComponent": "r",
        }));
        let events = with(json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": about, "note": "m", "deprecatedCount": 2,
            "deprecatedSource": {"component": "c", "host": "h"}, "deprecatedFirstTimestamp": first,
            "deprecatedLastTimestamp": last, "reportingController": "r",
        }));
        [core, events]
    }

    #[test]
    fn each_form_has_all_that_the_other_has() {
        let [core, events] = both();
        let form = kinds::by_kind("events.k8s.io/v1", "Event").unwrap();
        let original = form.original();
        assert_eq!((original.api_version(), original.original()), ("v1".to_owned(), original));
        assert_eq!((form.hub(), form.resource()), (original, "events.events.k8s.io".to_owned()));
        let [of_core, of_events] = [(original, &core), (form, &events)].map(|(kind, value)| {
            let (object, unknown) = kind.decode_strict(value.clone()).unwrap();
            assert_eq!(unknown, Vec::<String>::new());
            object
        });
        assert_eq!(form.of_original(&*of_core).unwrap().to_value(), events);
        assert_eq!(form.to_original(&*of_events).unwrap().to_value(), core);
        assert!(original.to_original(&*of_core).is_none() && form.of_original(&*of_events).is_none());
    }

    #[test]
    fn what_one_form_does_not_say_the_other_does_not_either() {
        let form = kinds::by_kind("events.k8s.io/v1", "Event").unwrap();
        let core = json!({"metadata": {"name": "e"}, "involvedObject": {}, "series": {"count": 1}});
        let stored = form.original().decode_value(core).unwrap();
        let viewed = form.of_original(&*stored).unwrap();
        assert!(form.original().same(&*form.to_original(&*viewed).unwrap(), &*stored));
    }
}
