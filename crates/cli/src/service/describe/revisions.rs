//! The revisions of a service as its description shows them.

use jiff::Timestamp;
use resources::{
    Object,
    condition::{self, READY},
    labels,
    serving::{Revision, Service, TrafficTarget},
};

use crate::{
    print::{Attributes, Indent, short_age},
    revision::{write_image, write_replicas, write_runtime},
};

/// A revision, and its part in the traffic.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    revision: &'a Revision,
    target: Option<&'a TrafficTarget>,
    latest_created: bool,
    latest_ready: bool,
}

/// What is in the traffic, then the latest ones; with `verbose`, all. Newest first.
pub(super) fn shown<'a>(service: &'a Service, revisions: &'a [Revision], verbose: bool) -> Vec<Shown<'a>> {
    let status = &service.status;
    let find = |name: &str| revisions.iter().find(|revision| revision.name() == name);
    let show = |revision: &'a Revision, target| Shown {
        revision,
        target,
        latest_created: status.latest_created_revision_name.as_deref() == Some(revision.name()),
        latest_ready: status.latest_ready_revision_name.as_deref() == Some(revision.name()),
    };
    let mut shown: Vec<Shown<'_>> = status
        .traffic
        .iter()
        .filter_map(|target| Some(show(find(target.revision_name.as_deref()?)?, Some(target))))
        .collect();
    let latest = [&status.latest_created_revision_name, &status.latest_ready_revision_name];
    let others = latest.into_iter().flatten().filter_map(|name| find(name));
    for revision in others.chain(revisions.iter().filter(|_| verbose)) {
        if !shown.iter().any(|there| there.revision.name() == revision.name()) {
            shown.push(show(revision, None));
        }
    }
    shown.sort_by_key(|shown| std::cmp::Reverse(generation(shown.revision)));
    shown
}

/// Writes one block per revision.
pub(super) fn write_revisions(to: &mut Attributes, revisions: &[Shown<'_>], verbose: bool, now: Timestamp) {
    let nested = Indent::default().nested();
    let attributes = nested.column();
    for shown in revisions {
        let revision = shown.revision;
        let ready = condition::get(&revision.status.conditions, READY);
        to.cells(&nested, &[&bullet(shown), &header(shown, now)]);
        if let Some(failed) = ready.filter(|ready| ready.is_false()) {
            to.add_at(&attributes, "Error", &failed.reason);
        }
        write_image(to, &attributes, revision);
        write_replicas(to, &attributes, revision);
        if verbose {
            write_runtime(to, &attributes, revision, verbose);
        }
    }
}

/// The share of the traffic, or a sign where there is none.
fn bullet(shown: &Shown<'_>) -> String {
    let percent = shown.target.and_then(|target| target.percent).unwrap_or_default();
    let sign = match condition::get(&shown.revision.status.conditions, READY) {
        Some(ready) if ready.is_true() && percent > 0 => '%',
        Some(ready) if ready.is_true() => '+',
        Some(ready) if ready.is_false() => '!',
        _ => '?',
    };
    if percent == 0 { format!("   {sign}") } else { format!("{percent:3}{sign}") }
}

fn header(shown: &Shown<'_>, now: Timestamp) -> String {
    let name = shown.revision.name();
    let mut header = match shown.target {
        Some(target) if target.latest_revision == Some(true) => format!("@latest ({name})"),
        _ if shown.latest_ready => format!("{name} (current @latest)"),
        _ if shown.latest_created => format!("{name} (latest created)"),
        _ => name.to_owned(),
    };
    if let Some(tag) = shown.target.and_then(|target| target.tag.as_deref()).filter(|tag| !tag.is_empty()) {
        header.push_str(&format!(" #{tag}"));
    }
    let age = short_age(shown.revision.metadata.creation_timestamp.as_ref(), now);
    format!("{header} [{}] ({age})", generation(shown.revision))
}

fn generation(revision: &Revision) -> i64 {
    revision.label(labels::CONFIGURATION_GENERATION).and_then(|text| text.parse().ok()).unwrap_or_default()
}
