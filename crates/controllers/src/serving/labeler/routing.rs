//! What is written on a Revision or Configuration about the Routes that lead to it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use resources::{
    Object,
    annotations::{ROUTES, ROUTING_STATE_MODIFIED},
    condition::{self, Condition, READY},
    labels::{ROUTING_STATE, ROUTING_STATE_ACTIVE, ROUTING_STATE_RESERVE},
    meta::ObjectMeta,
    serving::{Configuration, Revision, Route},
};

use super::naming::targets;
use crate::serving::child::present;

/// The names of the Routes that an object is marked with.
pub(super) fn marked(metadata: &ObjectMeta) -> BTreeSet<String> {
    let routes = metadata.annotations.as_ref().and_then(|annotations| annotations.get(ROUTES));
    let names = routes.map(String::as_str).unwrap_or_default().split(',');
    names.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether a Route leads to a Revision, or will once that is ready.
pub(super) fn leads_to(route: &Route, revision: &Revision, configuration: Option<&Configuration>) -> bool {
    let name = Some(revision.name());
    let latest = configuration.is_some_and(|configuration| {
        let status = &configuration.status;
        let is_latest = status.latest_created_revision_name.as_deref() == name
            || status.latest_ready_revision_name.as_deref() == name;
        is_latest && follows(route, configuration.name())
    });
    latest || targets(route).any(|target| target.revision_name.as_deref() == name)
}

/// Whether a Route leads to a Configuration's latest Revision.
pub(super) fn follows(route: &Route, configuration: &str) -> bool {
    route.spec.traffic.iter().any(|target| target.configuration_name.as_deref() == Some(configuration))
}

/// Whether a Route has come to an end with its present spec. Before that requests may still go where they went.
pub(super) fn is_settled(route: &Route) -> bool {
    let ready = condition::get(&route.status.conditions, READY);
    route.status.observed_generation == Some(route.generation())
        && ready.is_some_and(|ready: &Condition| ready.is_true() || ready.is_false())
}

/// Marks an object with the Routes that lead to it.
pub(super) fn mark_routes(metadata: &mut ObjectMeta, routes: &BTreeSet<String>) {
    let mut annotations = metadata.annotations.take().unwrap_or_default();
    if routes.is_empty() {
        annotations.remove(ROUTES);
    } else {
        annotations
            .insert(ROUTES.to_owned(), routes.iter().map(String::as_str).collect::<Vec<_>>().join(","));
    }
    metadata.annotations = present(annotations);
}

/// Marks a Revision with the Routes that lead to it and with what follows for its routing state. One that no Route ever
/// led to stays as it was.
pub(super) fn mark_revision(metadata: &mut ObjectMeta, routes: &BTreeSet<String>, now: Timestamp) {
    let was_marked = !marked(metadata).is_empty();
    mark_routes(metadata, routes);
    let before = metadata.labels.as_ref().and_then(|labels| labels.get(ROUTING_STATE)).map(String::as_str);
    let state = match (routes.is_empty(), before) {
        (false, _) => ROUTING_STATE_ACTIVE,
        (true, Some(ROUTING_STATE_ACTIVE)) => ROUTING_STATE_RESERVE,
        (true, _) if was_marked => ROUTING_STATE_RESERVE,
        (true, _) => return,
    };
    if before != Some(state) {
        metadata.labels.get_or_insert_default().insert(ROUTING_STATE.to_owned(), state.to_owned());
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(ROUTING_STATE_MODIFIED.to_owned(), format!("{now:.0}"));
    }
}

#[cfg(test)]
mod tests;
