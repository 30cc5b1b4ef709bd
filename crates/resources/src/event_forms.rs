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
mod tests;
