//! Which Revisions a Route's targets mean, and whether each can take requests (upstream: serving, route/traffic).

use std::{collections::BTreeMap, sync::Arc};

use resources::{
    Object, labels,
    serving::{Configuration, Revision, Route, TrafficTarget},
};

use crate::serving::{
    configuration::{is_failed, is_ready},
    revision::Protocol,
    verdict::Verdict,
};

/// What a Route's targets name, as far as it exists.
#[derive(Default)]
pub(super) struct Referenced {
    pub(super) configurations: BTreeMap<String, Arc<Configuration>>,
    pub(super) revisions: BTreeMap<String, Arc<Revision>>,
}

/// One target with its Revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Empty for the Route's own host.
    pub(super) tag: String,
    pub(super) revision: String,
    pub(super) percent: i64,
    pub(super) protocol: Protocol,
    /// Whether it is the latest ready one of its Configuration, or the one that the user named.
    pub(super) latest: bool,
}

/// A Route's targets, each with its Revision, in the order of its spec.
///
/// # Errors
/// What AllTrafficAssigned says of the first target that no request can be sent to.
pub(super) fn resolve(route: &Route, named: &Referenced) -> Result<Vec<Target>, Verdict> {
    route.spec.traffic.iter().map(|target| resolve_target(route, target, named)).collect()
}

fn resolve_target(route: &Route, target: &TrafficTarget, named: &Referenced) -> Result<Target, Verdict> {
    let latest = target.revision_name.is_none();
    let revision = match &target.revision_name {
        Some(name) => by_name(name, named)?,
        None => latest_of(target.configuration_name.as_deref().unwrap_or_default(), named)?,
    };
    // A Service's Route leads to the Service's own Revisions alone.
    if let Some(service) = route.label(labels::SERVICE)
        && revision.label(labels::SERVICE) != Some(service)
    {
        let message = format!("Revision {:?} is not owned by Service {service:?}.", revision.name());
        return Err(Verdict::no("RevisionNotOwned", message));
    }
    Ok(Target {
        tag: target.tag.clone().unwrap_or_default(),
        revision: revision.name().to_owned(),
        percent: target.percent.unwrap_or(0),
        protocol: Protocol::of(&revision.spec),
        latest,
    })
}

fn by_name<'a>(name: &str, named: &'a Referenced) -> Result<&'a Revision, Verdict> {
    match named.revisions.get(name) {
        None => Err(missing("Revision", name)),
        Some(revision) if is_ready(revision) => Ok(revision),
        Some(revision) if is_failed(revision) => {
            Err(Verdict::no("RevisionMissing", format!("Revision {name:?} failed to become ready.")))
        }
        Some(_) => Err(Verdict::unknown("RevisionMissing", format!("Revision {name:?} is not yet ready."))),
    }
}

fn latest_of<'a>(name: &str, named: &'a Referenced) -> Result<&'a Revision, Verdict> {
    let Some(configuration) = named.configurations.get(name) else {
        return Err(missing("Configuration", name));
    };
    match &configuration.status.latest_ready_revision_name {
        Some(latest) => {
            named.revisions.get(latest).map(|revision| &**revision).ok_or_else(|| missing("Revision", latest))
        }
        None if has_failed(configuration) => Err(none_ready(name)),
        None => Err(waiting(name)),
    }
}

fn has_failed(configuration: &Configuration) -> bool {
    let ready = resources::condition::get(&configuration.status.conditions, resources::condition::READY);
    configuration.status.observed_generation == Some(configuration.generation())
        && ready.is_some_and(resources::condition::Condition::is_false)
}

fn none_ready(configuration: &str) -> Verdict {
    let message = format!("Configuration {configuration:?} does not have any ready Revision.");
    Verdict::no("RevisionMissing", message)
}

fn waiting(configuration: &str) -> Verdict {
    let message = format!("Configuration {configuration:?} is waiting for a Revision to become ready.");
    Verdict::unknown("RevisionMissing", message)
}

/// What is so by now where a Route still says of a Configuration that it never had a ready Revision and has failed: the
/// Route has not told yet what it makes of that.
pub(in crate::serving) fn overtaken(said: &Verdict, configuration: &Configuration) -> Option<Verdict> {
    let is_ready = configuration.status.latest_ready_revision_name.is_some();
    let is_so = !is_ready && has_failed(configuration);
    let is_over = !is_so && *said == none_ready(configuration.name());
    is_over.then(|| if is_ready { not_migrated() } else { waiting(configuration.name()) })
}

/// Of a Route that does not lead to the latest ready Revision yet.
pub(in crate::serving) fn not_migrated() -> Verdict {
    Verdict::unknown("TrafficNotMigrated", "Traffic is not yet migrated to the latest revision.")
}

fn missing(kind: &str, name: &str) -> Verdict {
    Verdict::no(format!("{kind}Missing"), format!("{kind} {name:?} referenced in traffic not found."))
}

/// The targets of one host with what their requests' shares are: of a Revision named twice the sum, nothing for those
/// without a share.
pub(super) fn shares(targets: &[Target]) -> Vec<Target> {
    let mut shares: Vec<Target> = Vec::new();
    for target in targets.iter().filter(|target| target.percent > 0) {
        match shares.iter_mut().find(|share| share.revision == target.revision) {
            Some(share) => share.percent += target.percent,
            None => shares.push(target.clone()),
        }
    }
    shares
}

#[cfg(test)]
mod tests;
