//! Whose the name is that a template asks for.

use resources::{
    Object, labels,
    serving::{Configuration, Revision, RevisionSpec},
};

use crate::serving::child::is_controlled_by;

/// Whose a Revision is that has the name a template asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOwner {
    /// It is the Revision of the Configuration's present template.
    Own,
    /// It is another Configuration's, or an earlier one of this with another spec.
    Taken,
}

/// Upstream: serving, `CheckNameAvailability`. An earlier Revision of the same spec will do: its labels may since have
/// been changed by the user, and its spec cannot.
pub(crate) fn name_owner(configuration: &Configuration, revision: &Revision) -> NameOwner {
    let generation = configuration.generation().to_string();
    let same = revision.label(labels::CONFIGURATION_GENERATION) == Some(&generation)
        || is_same(&configuration.spec.template.spec, &revision.spec);
    if is_controlled_by(revision, configuration) && same { NameOwner::Own } else { NameOwner::Taken }
}

/// Whether a template asks for just what a Revision is. `enableServiceLinks` has a default only where an object is made,
/// so a template that was replaced may lack what its Revision got.
fn is_same(template: &RevisionSpec, revision: &RevisionSpec) -> bool {
    let links = template.enable_service_links.or(revision.enable_service_links);
    let filled = RevisionSpec { enable_service_links: links, ..template.clone() };
    filled == *revision
}
