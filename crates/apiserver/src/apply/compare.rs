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
        let mut changes = Self::default();
        changes.compare(Some(old), Some(new), place, &mut Vec::new());
        changes
    }

    fn compare(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        place: Place<'_>,
        path: &mut Vec<Element>,
    ) {
        let [old, new] = [old, new].map(|value| value.filter(|value| !value.is_null()));
        if old == new {
            return;
        }
        match (parts(old, place), parts(new, place)) {
            (None, None) => return self.leaf(old, new, path),
            // Another form of value took the place: the one goes leaf by leaf, the other comes.
            (Some(_), None) if new.is_some() => {
                self.compare(old, None, place, path);
                return self.compare(None, new, place, path);
            }
            (None, Some(_)) if old.is_some() => {
                self.compare(old, None, place, path);
                return self.compare(None, new, place, path);
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
                    path.push(name);
                    self.compare(old.map(|part| part.0), new.map(|part| part.0), place, path);
                    path.pop();
                }
            }
        }
        if !place.is_always_there() && !path.is_empty() {
            match (old, new) {
                (None, Some(_)) => self.added.insert(path),
                (Some(_), None) => self.removed.insert(path),
                _ => {}
            }
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>, path: &[Element]) {
        match (old, new) {
            (None, _) => self.added.insert(path),
            (_, None) => self.removed.insert(path),
            _ => self.modified.insert(path),
        }
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
