//! Objects that a set has parts of.

use super::field_set::{Element, FieldSet};
use crate::schema::Place;

/// The set with every field, named by the kind, of which it has a part: whoever has the last part of `spec.strategy`
/// has `spec.strategy`. An entry of a map is one's own only when the set says so.
pub(super) fn with_named(set: &FieldSet, place: Place<'_>) -> FieldSet {
    let below = set.below.iter().map(|(element, part)| {
        let (place, named) = match element {
            Element::Field(name) => (place.field(name), place.names(name)),
            _ => (place.item(), false),
        };
        let mut part = with_named(part, place);
        part.here |= named && !part.below.is_empty();
        (element.clone(), part)
    });
    FieldSet { here: set.here, below: below.collect() }
}
