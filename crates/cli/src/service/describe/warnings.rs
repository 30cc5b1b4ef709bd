//! What went wrong of late with a service's own objects and pods: also of one that is ready again.

use std::{cmp::Reverse, collections::HashSet};

use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use resources::{
    Object,
    builtin::{Event, ObjectReference},
    condition::Condition,
    meta::Time,
    serving::{Revision, Service},
};

use super::why::advice_when_ready;
use crate::{
    api::Session,
    error::Error,
    print::{Attributes, Indent, short_age},
};

/// Events read at a time: the API selects them by namespace, in the order of their names.
const PAGE_MAX: u32 = 500;
/// How many pages are read.
const PAGES_MAX: usize = 40;
/// How many are shown, the newest first.
const SHOWN_MAX: usize = 5;
/// How old a warning may be that is worth acting on.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// The warnings about the service, the newest first; none for a user who may not see them.
pub(super) async fn of_service(
    service: &Service,
    revisions: &[Revision],
    session: &Session,
) -> Result<Vec<Event>, Error> {
    let mut newest = Vec::new();
    let mut params = ListParams::default().fields("type=Warning").limit(PAGE_MAX);
    for _ in 0..PAGES_MAX {
        let (page, next) = match session.page::<Event>(&params).await {
            // A token that is too old: the rest is no longer as it was when the list began.
            Err(Error::Api(status)) if matches!(status.code, 403 | 410) => break,
            listed => listed?,
        };
        newest = newest_of(service, revisions, newest.into_iter().chain(page));
        match next {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    Ok(newest)
}

/// Those about the service, the newest first, as many as are shown. What several objects say in the same words is told
/// once, as it was said last.
pub(super) fn newest_of(
    service: &Service,
    revisions: &[Revision],
    events: impl IntoIterator<Item = Event>,
) -> Vec<Event> {
    let about = |event: &Event| is_about(&event.involved_object, service, revisions);
    let mut events: Vec<_> = events.into_iter().filter(about).collect();
    events.sort_by_key(|event| Reverse(last(event).map(|time| time.0)));
    let mut told = HashSet::new();
    events.retain(|event| event.message.as_ref().is_none_or(|message| told.insert(message.clone())));
    events.truncate(SHOWN_MAX);
    events
}

fn is_about(object: &ObjectReference, service: &Service, revisions: &[Revision]) -> bool {
    let name = object.name.as_deref().unwrap_or_default();
    let is_revisions = |part: &str| {
        let of_one = |revision: &Revision| {
            name.strip_prefix(revision.name()).is_some_and(|rest| rest.starts_with(part))
        };
        revisions.iter().any(of_one)
    };
    match object.kind.as_deref() {
        Some("Service" | "Configuration" | "Route") => {
            name == service.name() && object.api_version.as_deref() == Some(&Service::kind().api_version())
        }
        Some("Revision") => revisions.iter().any(|revision| revision.name() == name),
        // Their names say whose they are, also when they are gone.
        Some("Pod" | "ReplicaSet" | "Deployment") => is_revisions("-deployment"),
        _ => false,
    }
}

fn last(event: &Event) -> Option<&Time> {
    event.last_timestamp.as_ref().or(event.metadata.creation_timestamp.as_ref())
}

/// Writes nothing when there are none. `is_ready`: nothing else has said what to try.
pub(super) fn write(
    to: &mut Attributes,
    service: &Service,
    events: &[Event],
    is_ready: bool,
    now: Timestamp,
) {
    if events.is_empty() {
        return;
    }
    to.blank();
    to.add("Warnings", "");
    to.end_section();
    let nested = Indent::default().nested();
    to.cells(&nested, &["AGE", "COUNT", "OBJECT", "REASON", "MESSAGE"]);
    for event in events {
        let object = &event.involved_object;
        let name = object.name.as_deref().unwrap_or_default();
        let about = format!("{}/{name}", object.kind.as_deref().unwrap_or_default().to_lowercase());
        let count = event.count.unwrap_or(1).to_string();
        let (reason, message) = (event.reason.as_deref(), event.message.as_deref());
        let age = short_age(last(event), now);
        to.cells(&nested, &[&age, &count, &about, reason.unwrap_or_default(), message.unwrap_or_default()]);
    }
    to.end_section();
    if !is_ready {
        return;
    }
    // Of warnings of one second none is the newer, and a back-off only follows from what does say what to do.
    let is_recent = |event: &&Event| last(event).is_some_and(|time| now.duration_since(time.0) < RECENT);
    let advice = events.iter().filter(is_recent).find_map(|event| advice_when_ready(service, &said(event)));
    if let Some(advice) = advice {
        to.add("Try next", &advice);
        to.end_section();
    }
}

fn said(event: &Event) -> Condition {
    Condition {
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        ..Condition::default()
    }
}
