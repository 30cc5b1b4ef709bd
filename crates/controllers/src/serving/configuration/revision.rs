//! The Revision of a Configuration's present template.

use resources::{
    Object,
    annotations::{CREATOR, LAST_APPLIED, LAST_MODIFIER, ROUTES, ROUTING_STATE_MODIFIED},
    labels::{self, ROUTING_STATE, ROUTING_STATE_ACTIVE, ROUTING_STATE_PENDING},
    meta::Time,
    names,
    serving::{Configuration, Revision},
};

use crate::serving::child;

/// The name of the Revision of a Configuration's present template.
pub(super) fn revision_name(configuration: &Configuration) -> String {
    let named = configuration.spec.template.metadata.name.clone();
    named.unwrap_or_else(|| names::revision(configuration.name(), configuration.generation()))
}

/// The Revision of a Configuration's present template.
///
/// It begins as one that Routes lead to when some lead to the Configuration already, so that it is not taken for one
/// that nobody needs before the labeler has seen it.
pub(super) fn desired_revision(configuration: &Configuration, now: &Time) -> Revision {
    let template = &configuration.spec.template;
    let routes = configuration.annotation(ROUTES);

    let mut labels = child::labels(&template.metadata);
    for key in [labels::SERVICE, labels::SERVICE_UID] {
        match configuration.label(key) {
            Some(value) => labels.insert(key.to_owned(), value.to_owned()),
            None => labels.remove(key),
        };
    }
    let state = if routes.is_some() { ROUTING_STATE_ACTIVE } else { ROUTING_STATE_PENDING };
    let system = [
        (labels::CONFIGURATION, configuration.name().to_owned()),
        (labels::CONFIGURATION_GENERATION, configuration.generation().to_string()),
        (labels::CONFIGURATION_UID, configuration.uid().to_owned()),
        (ROUTING_STATE, state.to_owned()),
    ];
    labels.extend(system.map(|(key, value)| (key.to_owned(), value)));

    let mut annotations = child::annotations(&template.metadata);
    annotations.remove(LAST_APPLIED);
    // The Revision's maker is whoever last changed the Configuration.
    if let Some(modifier) = configuration.annotation(LAST_MODIFIER).or(configuration.annotation(CREATOR)) {
        annotations.insert(CREATOR.to_owned(), modifier.to_owned());
    }
    if let Some(routes) = routes {
        annotations.insert(ROUTES.to_owned(), routes.to_owned());
    }
    annotations.insert(ROUTING_STATE_MODIFIED.to_owned(), format!("{:.0}", now.0));

    Revision::new(
        child::metadata(configuration, revision_name(configuration), labels, annotations),
        template.spec.clone(),
    )
}
