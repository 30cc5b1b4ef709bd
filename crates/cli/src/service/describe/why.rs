//! Why a service is not ready, and what to try next: for whoever was woken by it.

mod advice;

use resources::{
    Object,
    condition::{self, Condition, READY},
    serving::{Revision, SERVICE_CONDITIONS, Service},
};

use self::advice::advice;
pub(super) use self::advice::advice_when_ready;
use super::Seen;
use crate::print::Attributes;

/// The condition of a revision that is False where the node leaves out some of its spec.
const SPEC_HONORED: &str = "SpecHonored";
/// Why an app may miss what its image has.
const HOST_FILES: &str = "; a plain process sees this machine's files, not its image's: `ebb up` with root and `--runtime container` isolates it";

/// Whether the service is not ready because an image is not there.
pub(super) fn misses_image(service: &Service, revisions: &[Revision]) -> bool {
    !is_ready(service) && advice::misses_image(deepest(cause(service), culprit(service, revisions)))
}

/// The revision that keeps the service from being ready, and what it says of that.
pub(in crate::service) fn obstacle(service: &Service, revisions: &[Revision]) -> Option<String> {
    culprit(service, revisions).map(|culprit| format!("revision {}", told(culprit)))
}

/// Writes nothing when the service is ready; returns whether it is.
pub(super) fn write(to: &mut Attributes, service: &Service, revisions: &[Revision], seen: Seen<'_>) -> bool {
    if is_ready(service) {
        return true;
    }
    to.blank();
    let (cause, culprit) = (cause(service), culprit(service, revisions));
    match cause {
        Some(cause) if repeats(cause, culprit) => to.add("Not ready", &short(cause)),
        Some(cause) => to.add("Not ready", &sentence(cause)),
        None => to.add("Not ready", "no controller has looked at it yet"),
    }
    if let Some(culprit) = culprit {
        to.add("Revision", &told(culprit));
    }
    let revision = culprit.map(|(revision, _)| revision);
    let honored = revision.and_then(|revision| condition::get(&revision.status.conditions, SPEC_HONORED));
    if let Some(left_out) = honored.filter(|honored| honored.is_false()) {
        to.add("Left out", &left_out.message);
    }
    let deepest = deepest(cause, culprit);
    let mut next = advice(service, revision, deepest, seen.images);
    if seen.plain_processes && advice::is_of_the_app(deepest) {
        next.push_str(HOST_FILES);
    }
    to.add("Try next", &next);
    to.end_section();
    false
}

fn is_ready(service: &Service) -> bool {
    condition::get(&service.status.conditions, READY).is_some_and(Condition::is_true)
}

/// What is behind it all.
fn deepest<'a>(
    cause: Option<&'a Condition>,
    culprit: Option<(&'a Revision, &'a Condition)>,
) -> Option<&'a Condition> {
    culprit.map(|(_, condition)| condition).or(cause)
}

/// The dependent condition that keeps the service from being ready: a failed one before one in progress.
fn cause(service: &Service) -> Option<&Condition> {
    let dependent =
        |condition: &&Condition| SERVICE_CONDITIONS.dependents.contains(&condition.type_.as_str());
    let conditions = &service.status.conditions;
    let of = |wanted: fn(&Condition) -> bool| {
        conditions.iter().filter(dependent).find(|condition| wanted(condition))
    };
    of(Condition::is_false)
        .or_else(|| of(Condition::is_unknown))
        .or_else(|| condition::get(conditions, READY))
}

/// The newest revision that matters to the service and is not ready, and its condition that says most.
fn culprit<'a>(service: &Service, revisions: &'a [Revision]) -> Option<(&'a Revision, &'a Condition)> {
    let status = &service.status;
    let matters = |revision: &&Revision| {
        let name = Some(revision.name());
        status.latest_created_revision_name.as_deref() == name
            || status.traffic.iter().any(|target| target.revision_name.as_deref() == name)
    };
    let failing = |revision: &'a Revision| {
        let conditions = &revision.status.conditions;
        if condition::get(conditions, READY).is_none_or(Condition::is_true) {
            return None;
        }
        let specific = |wanted: fn(&Condition) -> bool| {
            let of = |condition: &&Condition| condition.type_ != READY && condition.severity.is_empty();
            conditions.iter().filter(of).find(|condition| wanted(condition) && !condition.reason.is_empty())
        };
        let condition = specific(Condition::is_false).or_else(|| specific(Condition::is_unknown));
        Some((revision, condition.or_else(|| condition::get(conditions, READY))?))
    };
    revisions.iter().rev().filter(matters).find_map(failing)
}

/// Whether the cause says what is said of the revision right below it.
fn repeats(cause: &Condition, culprit: Option<(&Revision, &Condition)>) -> bool {
    let message = culprit.map_or("", |(_, condition)| condition.message.as_str());
    !message.is_empty() && cause.message.contains(message)
}

fn told((revision, condition): (&Revision, &Condition)) -> String {
    format!("{}: {}", revision.name(), sentence(condition))
}

fn sentence(condition: &Condition) -> String {
    joined(&[&condition.type_, &condition.reason, &condition.message])
}

/// As [`sentence`], without the message.
fn short(condition: &Condition) -> String {
    joined(&[&condition.type_, &condition.reason])
}

fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}
