//! An object without some of its fields.

use serde_json::Value;

use super::{
    elements,
    field_set::{Element, FieldSet},
};
use crate::schema::Place;

/// What is left of a value; nothing of a map or a list whose last entry went.
pub(super) fn remove(value: Value, gone: &FieldSet, place: Place<'_>) -> Option<Value> {
    match value {
        Value::Object(fields) if !place.is_whole() && !fields.is_empty() => {
            let kept: serde_json::Map<_, _> = fields
                .into_iter()
                .filter_map(|(name, value)| {
                    let element = Element::Field(name.clone());
                    let value = remove_part(value, gone, &element, place.field(&name))?;
                    Some((name, value))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => match elements::of(&items, place) {
            Ok(names) if !names.is_empty() => {
                let kept: Vec<_> = names
                    .iter()
                    .zip(items)
                    .filter_map(|(name, item)| remove_part(item, gone, name, place.item()))
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            _ => Some(Value::Array(items)),
        },
        value => Some(value),
    }
}

fn remove_part(value: Value, gone: &FieldSet, element: &Element, place: Place<'_>) -> Option<Value> {
    match gone.below.get(element) {
        Some(part) if part.here => None,
        Some(part) => remove(value, part, place),
        None => Some(value),
    }
}
