//! Finalizers: they hold an object that is being deleted.

use std::collections::HashSet;

use objects::{Error, Propagation};
use resources::{DynObject, Kind, meta::ObjectMeta};

use super::{metadata::invalid, strategy};

/// The owner is removed after the objects that it owns.
const FOREGROUND: &str = "foregroundDeletion";
/// The objects that it owns stay.
const ORPHAN: &str = "orphan";

/// Whether nobody holds the object any more.
pub(super) fn is_free(object: &dyn DynObject) -> bool {
    object.metadata().finalizers.as_ref().is_none_or(Vec::is_empty) && !strategy::has_own_finalizers(object)
}

/// An object that is being deleted can lose finalizers and gets no new ones.
pub(super) fn check(kind: &'static Kind, current: &ObjectMeta, wanted: &ObjectMeta) -> Result<(), Error> {
    if current.deletion_timestamp.is_none() {
        return Ok(());
    }
    let known: HashSet<&String> = current.finalizers.iter().flatten().collect();
    let new: Vec<_> = wanted.finalizers.iter().flatten().filter(|name| !known.contains(name)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let list = new.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let message = format!(
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"
    );
    let name = current.name.clone().unwrap_or_default();
    Err(invalid(kind, name, "metadata.finalizers", "FieldValueForbidden", message))
}

/// Sets the garbage collector's finalizers as a delete asks for.
pub(super) fn propagate(metadata: &mut ObjectMeta, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let finalizers = metadata.finalizers.get_or_insert_default();
    finalizers.retain(|name| name != FOREGROUND && name != ORPHAN);
    match propagation {
        Propagation::Foreground => finalizers.push(FOREGROUND.into()),
        Propagation::Orphan => finalizers.push(ORPHAN.into()),
        Propagation::Background => {}
    }
    if finalizers.is_empty() {
        metadata.finalizers = None;
    }
}
