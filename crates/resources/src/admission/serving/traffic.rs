//! The targets of a Route.
//!
//! Upstream: serving, `pkg/apis/serving/v1/route_{defaults,validation}.go`.

use std::collections::BTreeMap;

use crate::{
    admission::{KnativeErrors, Path},
    names::dns,
    serving::TrafficTarget,
};

/// Fills in what targets leave out. A Service's Route has a Configuration of its own, so that no target at all means
/// all requests to its latest ready Revision.
pub(super) fn set_defaults(traffic: &mut Vec<TrafficTarget>, of_service: bool) {
    if traffic.is_empty() && of_service {
        traffic.push(TrafficTarget { percent: Some(100), ..TrafficTarget::default() });
    }
    for target in traffic {
        let pinned = target.revision_name.as_ref().is_some_and(|name| !name.is_empty());
        target.latest_revision.get_or_insert(!pinned);
        target.percent.get_or_insert(0);
    }
}

/// Says what is wrong with a Route's targets.
pub(super) fn validate(
    traffic: &[TrafficTarget],
    of_service: bool,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    let mut tags = BTreeMap::new();
    for (index, target) in traffic.iter().enumerate() {
        let at = path.index(index);
        validate_target(target, of_service, at, errors);
        let Some(tag) = text(&target.tag) else { continue };
        let wrong = dns::label_1035(tag);
        if !wrong.is_empty() {
            let tags = path.child("tag");
            errors.invalid(format!("not a DNS 1035 label: [{}]", wrong.join(" ")), tags.index(index));
        }
        if let Some(first) = tags.insert(tag, index) {
            let first = path.index(first);
            let message = format!("Multiple definitions for {tag:?}");
            errors.add(message, &[at.child("tag"), first.child("tag")], "");
        }
    }
    let sum: i64 = traffic.iter().filter_map(|target| target.percent).fold(0, i64::saturating_add);
    if sum != 100 {
        errors.add(format!("Traffic targets sum to {sum}, want 100"), &[path], "");
    }
}

fn validate_target(target: &TrafficTarget, of_service: bool, path: Path<'_>, errors: &mut KnativeErrors) {
    let (revision, configuration) = (text(&target.revision_name), text(&target.configuration_name));
    if let Some(latest) = target.latest_revision
        && revision.is_some() == latest
    {
        let message = format!(
            "may not set revisionName {:?} when latestRevision is {latest}",
            revision.unwrap_or_default()
        );
        errors.add(message, &[path.child("latestRevision")], "");
    }
    match (revision, configuration) {
        (_, Some(_)) if of_service => errors.disallowed(path.child("configurationName")),
        (Some(_), Some(_)) => {
            errors.multiple_one_of(&[path.child("revisionName"), path.child("configurationName")]);
        }
        (Some(revision), None) => check_name(revision, path.child("revisionName"), errors),
        (None, Some(configuration)) => check_name(configuration, path.child("configurationName"), errors),
        (None, None) if of_service => {}
        (None, None) => errors.missing_one_of(&[path.child("revisionName"), path.child("configurationName")]),
    }
    if let Some(percent) = target.percent
        && !(0..=100).contains(&percent)
    {
        errors.out_of_bounds(percent, 0, 100, path.child("percent"));
    }
    if text(&target.url).is_some() {
        errors.disallowed(path.child("url"));
    }
}

fn check_name(name: &str, path: Path<'_>, errors: &mut KnativeErrors) {
    let wrong = dns::qualified_name(name);
    if !wrong.is_empty() {
        errors.invalid_key(name, path, wrong.join(", "));
    }
}

/// An empty text counts as absent.
fn text(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}
