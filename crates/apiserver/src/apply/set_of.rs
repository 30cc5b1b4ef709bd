//! The fields that a configuration speaks of.

use serde_json::Value;

use super::{
    elements,
    field_set::{Element, FieldSet},
};
use crate::schema::Place;

/// All that a value has: its leaves, and the items and entries that its user named.
pub(super) fn set_of(value: &Value, place: Place<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    match value {
        Value::Object(fields) if !place.is_whole() && !fields.is_empty() => {
            for (name, value) in fields {
                let mut child = set_of(value, place.field(name));
                child.here |= !place.names(name);
                set.below.insert(Element::Field(name.clone()), child);
            }
        }
        Value::Array(items) if !items.is_empty() => match elements::of(items, place) {
            Ok(names) => {
                for (name, item) in names.into_iter().zip(items) {
                    let mut child = set_of(item, place.item());
                    child.here = true;
                    set.below.insert(name, child);
                }
            }
            Err(_) => set.here = true,
        },
        _ => set.here = true,
    }
    set
}
