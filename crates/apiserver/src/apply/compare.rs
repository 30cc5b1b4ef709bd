//! What differs between two states of an object.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    elements,
    field_set::{Element, FieldSet},
};
use crate::schema::Place;

/// The fields that a change added, removed and modified.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub(super) added: FieldSet,
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
}

impl Changes {
    /// Between two states.
    pub(super) fn between(old: &Value, new: &Value, place: Place<'_>) -> Self {
        compare(Some(old), Some(new), place, [true; 2], true)
    }

    /// Puts the changes of a part below its name.
    fn put(&mut self, name: &Element, part: Self) {
        self.added.put(name, part.added);
        self.removed.put(name, part.removed);
        self.modified.put(name, part.modified);
    }

    fn add(&mut self, other: &Self) {
        self.added.add(&other.added);
        self.removed.add(&other.removed);
        self.modified.add(&other.modified);
    }
}

/// `around`: whether what a value would be a part of is there in the old and in the new state; `whole`: whether these are
/// the objects themselves, which nobody adds or removes by a change of a field.
fn compare(
    old: Option<&Value>,
    new: Option<&Value>,
    place: Place<'_>,
    around: [bool; 2],
    whole: bool,
) -> Changes {
    let mut changes = Changes::default();
    if old == new {
        return changes;
    }
    let is_there = |value: Option<&Value>, around: bool| value.is_some() || around && place.is_always_there();
    let there = [is_there(old, around[0]), is_there(new, around[1])];
    match (parts(old, place), parts(new, place)) {
        (None, None) if there == [true; 2] && is_nothing(old) && is_nothing(new) => return changes,
        (None, None) => {
            let set = match (old, new) {
                (None, _) => &mut changes.added,
                (_, None) => &mut changes.removed,
                _ => &mut changes.modified,
            };
            set.here = true;
            return changes;
        }
        // Another form of value took the place: the one goes leaf by leaf, the other comes.
        (Some(_), None) | (None, Some(_)) if old.is_some() && new.is_some() => {
            let mut changes = compare(old, None, place, around, whole);
            changes.add(&compare(None, new, place, around, whole));
            return changes;
        }
        (old_parts, new_parts) => {
            let mut both: BTreeMap<Element, [Option<(&Value, Place<'_>)>; 2]> = BTreeMap::new();
            for (side, parts) in [old_parts, new_parts].into_iter().enumerate() {
                for (name, value, place) in parts.into_iter().flatten() {
                    both.entry(name).or_default()[side] = Some((value, place));
                }
            }
            for (name, [old, new]) in both {
                let Some((_, place)) = old.or(new) else { continue };
                let part = compare(old.map(|part| part.0), new.map(|part| part.0), place, there, false);
                changes.put(&name, part);
            }
        }
    }
    match there {
        [false, true] if !whole => changes.added.here = true,
        [true, false] if !whole => changes.removed.here = true,
        _ => {}
    }
    changes
}

/// Whether a value is none, or one without parts.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

type Part<'a, 'b> = (Element, &'a Value, Place<'b>);

/// The parts that a value is compared by; `None` for one that is compared as a whole.
fn parts<'a, 'b>(value: Option<&'a Value>, place: Place<'b>) -> Option<Vec<Part<'a, 'b>>> {
    match value? {
        Value::Object(fields) if !place.is_whole() && !fields.is_empty() => Some(
            fields
                .iter()
                .map(|(name, value)| (Element::Field(name.clone()), value, place.field(name)))
                .collect(),
        ),
        Value::Array(items) if !items.is_empty() => {
            let names = elements::of(items, place).ok()?;
            Some(names.into_iter().zip(items).map(|(name, item)| (name, item, place.item())).collect())
        }
        _ => None,
    }
}
