//! Event, in both forms. Upstream: kubernetes, `pkg/apis/core/validation/events.go`, which calls most fields as the core
//! group does, whichever form is written.

use serde::Serialize;

use super::{FIELD_IMMUTABLE, invalid_each};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{Event, EventSource, events},
    event_forms,
    meta::MicroTime,
    names::dns,
};

/// The most bytes of the instance that reports, of an action and of a reason.
const WORD_BYTES_MAX: usize = 128;
/// The most bytes of a message.
const NOTE_BYTES_MAX: usize = 1024;
/// How many times something has been observed at least that is a series.
const SERIES_MIN: i32 = 2;

const TYPES: [&str; 2] = ["Normal", "Warning"];

impl Rules for Event {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        check(self, "reportingComponent", &mut errors);
        invalid(errors)
    }
}

impl Rules for events::Event {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        // As what is stored is read, so that writing it back is no change.
        self.regarding.get_or_insert_default();
        self.deprecated_source =
            self.deprecated_source.take().filter(|source| *source != EventSource::default());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let event = event_forms::to_core(self);
        let mut errors = Vec::new();
        check(&event, "reportingController", &mut errors);
        errors.extend(metadata::validate(&event.metadata, NameRule::Subdomain, true));
        match context.old.map(event_forms::to_core) {
            None => check_created(&event, &mut errors),
            Some(old) => check_changed(&event, &old, &mut errors),
        }
        invalid(errors)
    }
}

/// What holds for every event. `controller`: what the field of who reports is called.
fn check(event: &Event, controller: &str, errors: &mut Vec<FieldError>) {
    let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
    let involved = event.involved_object.namespace.as_deref().unwrap_or_default();
    // Those who write events as `events.k8s.io` wants them say when it was.
    let is_timed = event.event_time.is_some();
    let fits = match (involved, namespace) {
        // What is not in a namespace is spoken of in the default one.
        ("", "default") => true,
        ("", "kube-system") => is_timed,
        ("", _) => false,
        (involved, namespace) => is_timed || involved == namespace,
    };
    if !fits {
        let path = Path::root("involvedObject");
        let why = "does not match event.namespace";
        errors.push(FieldError::invalid(&path.child("namespace"), involved, why));
    }
    if is_timed {
        check_timed(event, controller, errors);
    }
}

/// What those say, too.
fn check_timed(event: &Event, controller: &str, errors: &mut Vec<FieldError>) {
    let path = Path::root(controller);
    let controller = text(&event.reporting_component);
    if controller.is_empty() {
        errors.push(FieldError::required(&path, ""));
    }
    invalid_each(dns::qualified_name(controller), controller, &path, errors);
    let words = [
        ("reportingInstance", &event.reporting_instance, WORD_BYTES_MAX),
        ("action", &event.action, WORD_BYTES_MAX),
        ("reason", &event.reason, WORD_BYTES_MAX),
        ("message", &event.message, NOTE_BYTES_MAX),
    ];
    for (field, text, max) in words {
        let (path, text) = (Path::root(field), self::text(text));
        if text.is_empty() && field != "message" {
            errors.push(FieldError::required(&path, ""));
        }
        if text.len() > max {
            errors.push(FieldError::invalid(&path, "", format!("can have at most {max} characters")));
        }
    }
}

/// What holds for one that is made as `events.k8s.io` has it.
fn check_created(event: &Event, errors: &mut Vec<FieldError>) {
    check_series(event, errors);
    if event.event_time.is_none() {
        errors.push(FieldError::required(&Path::root("eventTime"), ""));
    }
    let type_ = text(&event.type_);
    if !TYPES.contains(&type_) {
        errors.push(FieldError::invalid(&Path::root("type"), "", format!("has invalid value: {type_}")));
    }
    let has_source = event.source.as_ref().is_some_and(|source| {
        [&source.component, &source.host].into_iter().flatten().any(|name| !name.is_empty())
    });
    let old_fields = [
        ("firstTimestamp", event.first_timestamp.is_some()),
        ("lastTimestamp", event.last_timestamp.is_some()),
        ("count", event.count.unwrap_or_default() != 0),
        ("source", has_source),
    ];
    for (field, _) in old_fields.into_iter().filter(|(_, is_set)| *is_set) {
        errors.push(FieldError::invalid(&Path::root(field), "", "needs to be unset"));
    }
}

/// Nothing but the series of one may change.
fn check_changed(event: &Event, old: &Event, errors: &mut Vec<FieldError>) {
    if event.series != old.series {
        check_series(event, errors);
    }
    keeps("involvedObject", &event.involved_object, &old.involved_object, errors);
    keeps("reason", text(&event.reason), text(&old.reason), errors);
    keeps("message", text(&event.message), text(&old.message), errors);
    keeps(
        "source",
        &event.source.clone().unwrap_or_default(),
        &old.source.clone().unwrap_or_default(),
        errors,
    );
    keeps("firstTimestamp", &event.first_timestamp, &old.first_timestamp, errors);
    keeps("lastTimestamp", &event.last_timestamp, &old.last_timestamp, errors);
    keeps("count", &event.count.unwrap_or_default(), &old.count.unwrap_or_default(), errors);
    keeps("type", text(&event.type_), text(&old.type_), errors);
    // Some clients round it when they write it.
    if micros(&event.event_time) != micros(&old.event_time) {
        keeps("eventTime", &event.event_time, &old.event_time, errors);
    }
    keeps("action", text(&event.action), text(&old.action), errors);
    keeps("related", &event.related, &old.related, errors);
    let (controller, old_controller) = (&event.reporting_component, &old.reporting_component);
    keeps("reportingController", text(controller), text(old_controller), errors);
    keeps("reportingInstance", text(&event.reporting_instance), text(&old.reporting_instance), errors);
}

fn keeps<T: Serialize + PartialEq + ?Sized>(field: &str, new: &T, old: &T, errors: &mut Vec<FieldError>) {
    if new != old {
        errors.push(FieldError::invalid(&Path::root(field), new, FIELD_IMMUTABLE));
    }
}

fn micros(time: &Option<MicroTime>) -> Option<i64> {
    time.as_ref().map(|time| time.0.as_microsecond())
}

/// Absent and empty are the same.
fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn check_series(event: &Event, errors: &mut Vec<FieldError>) {
    let Some(series) = &event.series else { return };
    let path = Path::root("series");
    if series.count.unwrap_or_default() < SERIES_MIN {
        let why = format!("should be at least {SERIES_MIN}");
        errors.push(FieldError::invalid(&path.child("count"), "", why));
    }
    if series.last_observed_time.is_none() {
        errors.push(FieldError::required(&path.child("lastObservedTime"), ""));
    }
}
