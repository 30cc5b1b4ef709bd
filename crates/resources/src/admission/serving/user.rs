//! Who created an object and who last changed its spec, as annotations.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    admission::{KnativeErrors, Path, same},
    annotations::{CREATOR, LAST_MODIFIER},
    meta::ObjectMeta,
};

/// Whether something else owns the object; then the owner's values are copied to it.
pub(super) fn is_owned(metadata: &ObjectMeta) -> bool {
    metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty())
}

/// Writes both on create and the second one when the spec changed.
///
/// An update that leaves them out keeps them, so that replacing an object by the file it came from is not refused.
pub(super) fn set<S: Serialize + PartialEq>(
    metadata: &mut ObjectMeta,
    spec: &S,
    old: Option<(&ObjectMeta, &S)>,
    user: &str,
) {
    let annotations = metadata.annotations.get_or_insert_default();
    match old {
        None if user.is_empty() => {}
        None => {
            annotations.insert(CREATOR.to_owned(), user.to_owned());
            annotations.insert(LAST_MODIFIER.to_owned(), user.to_owned());
        }
        Some((old_metadata, old_spec)) => {
            for key in [CREATOR, LAST_MODIFIER] {
                if let Some(value) = value(old_metadata.annotations.as_ref(), key) {
                    annotations.entry(key.to_owned()).or_insert_with(|| value.to_owned());
                }
            }
            if !user.is_empty() && !same::same(old_spec, spec) {
                annotations.insert(LAST_MODIFIER.to_owned(), user.to_owned());
            }
        }
    }
    if metadata.annotations.as_ref().is_some_and(BTreeMap::is_empty) {
        metadata.annotations = None;
    }
}

/// The creator never changes, and who changed it only with the spec.
pub(super) fn check<S: Serialize + PartialEq>(
    metadata: &ObjectMeta,
    spec: &S,
    old_metadata: &ObjectMeta,
    old_spec: &S,
    errors: &mut KnativeErrors,
) {
    let root = Path::root("metadata");
    let path = root.child("annotations");
    let [new, old] = [metadata, old_metadata].map(|metadata| metadata.annotations.as_ref());
    if value(new, CREATOR) != value(old, CREATOR) {
        errors.add("annotation value is immutable", &[path.child(CREATOR)], "");
    }
    if value(new, LAST_MODIFIER) != value(old, LAST_MODIFIER) && same::same(old_spec, spec) {
        errors.invalid(value(new, LAST_MODIFIER).unwrap_or_default(), path.child(LAST_MODIFIER));
    }
}

fn value<'a>(annotations: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    annotations?.get(key).map(String::as_str)
}
