//! A Configuration's status from its Revisions.

use std::sync::Arc;

use resources::{
    Object,
    condition::{self, Condition, READY},
    labels,
    meta::Time,
    serving::{CONFIGURATION_CONDITIONS, Configuration, ConfigurationStatus, Revision},
};

use crate::serving::verdict::{Verdict, mark};

/// What became of the Revision of the present template.
pub(super) enum LatestCreated {
    /// It is there.
    Made(Arc<Revision>),
    /// It could not be made.
    Refused(String),
}

/// The status of a Configuration; `revisions` are all of its own.
pub(super) fn configuration_status(
    configuration: &Configuration,
    latest: &LatestCreated,
    revisions: &[Arc<Revision>],
    now: &Time,
) -> ConfigurationStatus {
    let mut status = configuration.status.clone();
    status.observed_generation = Some(configuration.generation());
    let verdict = match latest {
        LatestCreated::Refused(why) => {
            Verdict::no("RevisionFailed", format!("Revision creation failed with message: {}", sentence(why)))
        }
        LatestCreated::Made(latest) => {
            status.latest_created_revision_name = Some(latest.name().to_owned());
            let ready = latest_ready(configuration, latest, revisions);
            let lost = configuration
                .status
                .latest_ready_revision_name
                .as_deref()
                .filter(|name| !exists(name, latest, revisions));
            status.latest_ready_revision_name = match (ready, lost) {
                (Some(ready), _) => Some(ready),
                // What it named is gone and nothing takes its place: Routes must learn that.
                (None, Some(_)) => None,
                (None, None) => configuration.status.latest_ready_revision_name.clone(),
            };
            of_latest(latest, &status, lost)
        }
    };
    mark(&CONFIGURATION_CONDITIONS, &mut status.conditions, [(READY, verdict)], now);
    status
}

fn of_latest(latest: &Revision, status: &ConfigurationStatus, lost: Option<&str>) -> Verdict {
    if let Some(failed) = ready_condition(latest).filter(|ready| ready.is_false()) {
        return Verdict::no(
            "RevisionFailed",
            format!("Revision {:?} failed with message: {}", latest.name(), sentence(&failed.message)),
        );
    }
    if status.latest_ready_revision_name.as_deref() == Some(latest.name()) {
        return Verdict::yes();
    }
    match lost {
        Some(name) if status.latest_ready_revision_name.is_none() => {
            Verdict::no("RevisionDeleted", format!("Revision {name:?} was deleted."))
        }
        _ => Verdict::unknown("", ""),
    }
}

/// With one full stop: what Kubernetes says has its own.
fn sentence(text: &str) -> String {
    format!("{}.", text.strip_suffix('.').unwrap_or(text))
}

/// The newest ready Revision, but none older than the one that already was the latest ready one.
///
/// The present template's counts first: a name given by the user may be of an older generation.
fn latest_ready(
    configuration: &Configuration,
    latest: &Revision,
    revisions: &[Arc<Revision>],
) -> Option<String> {
    if is_ready(latest) {
        return Some(latest.name().to_owned());
    }
    let current = configuration.status.latest_ready_revision_name.as_deref();
    let floor = revisions
        .iter()
        .find(|revision| Some(revision.name()) == current)
        .map_or(0, |revision| generation(revision));
    let in_range = floor..=configuration.generation();
    let ready =
        revisions.iter().filter(|revision| is_ready(revision) && in_range.contains(&generation(revision)));
    ready.max_by_key(|revision| generation(revision)).map(|revision| revision.name().to_owned())
}

fn exists(name: &str, latest: &Revision, revisions: &[Arc<Revision>]) -> bool {
    latest.name() == name
        || revisions.iter().any(|revision| revision.name() == name && !revision.is_deleting())
}

/// The generation of the Configuration that a Revision was made from; 0 when its label was taken away.
fn generation(revision: &Revision) -> i64 {
    revision.label(labels::CONFIGURATION_GENERATION).and_then(|label| label.parse().ok()).unwrap_or(0)
}

/// Whether a Revision is ready; its spec never changes, so its status always speaks of it.
pub(crate) fn is_ready(revision: &Revision) -> bool {
    ready_condition(revision).is_some_and(Condition::is_true)
}

/// Whether a Revision cannot become ready as things are.
pub(crate) fn is_failed(revision: &Revision) -> bool {
    ready_condition(revision).is_some_and(Condition::is_false)
}

fn ready_condition(revision: &Revision) -> Option<&Condition> {
    condition::get(&revision.status.conditions, READY)
}

#[cfg(test)]
mod tests;
