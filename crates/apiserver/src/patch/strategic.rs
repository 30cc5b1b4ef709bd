//! Strategic merge patch: an RFC 7396 merge that knows lists, with directives for what merging cannot say.
//!
//! | directive | where | what it does |
//! |---|---|---|
//! | `$patch: replace` | object | the object becomes what the patch has |
//! | `$patch: delete` | object, list item | it goes |
//! | `$patch: replace` | list item | the list becomes what the patch has |
//! | `$patch: merge` | object | nothing; in a list item it is refused, as everything else |
//! | `$retainKeys: […]` | object | all other fields go |
//! | `$deleteFromPrimitiveList/F: […]` | object | these values go from list `F` |
//! | `$setElementOrder/F: […]` | object | list `F` is put in this order |

mod items;
mod order;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use self::order::Places;
use super::PatchError;
use crate::schema::{Place, Strategy};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const SET_ORDER: &str = "$setElementOrder/";

/// The object with the patch applied.
pub(super) fn merge(object: Value, patch: &Value, place: Place<'_>) -> Result<Value, PatchError> {
    match (object, patch) {
        (Value::Object(object), Value::Object(patch)) => {
            Ok(Value::Object(merge_objects(object, patch, place)?))
        }
        // Upstream leaves out what is nothing but a directive.
        (_, patch) => Ok(stripped(patch).unwrap_or_default()),
    }
}

fn merge_objects(
    mut object: Map<String, Value>,
    patch: &Map<String, Value>,
    place: Place<'_>,
) -> Result<Map<String, Value>, PatchError> {
    match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
        Some("replace") => {
            let rest = patch.iter().filter(|(key, _)| *key != PATCH);
            return Ok(rest.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        Some("delete") => return Ok(Map::new()),
        Some("merge") | None => {}
        Some(other) => return Err(unknown(other)),
    }
    if let Some(retained) = patch.get(RETAIN_KEYS) {
        let retained = array(RETAIN_KEYS, retained)?.iter().filter_map(Value::as_str);
        let retained: HashSet<&str> = retained.collect();
        object.retain(|key, _| retained.contains(key.as_str()));
    }
    // Where the items of a list were of which the patch says the order.
    let mut before: HashMap<&str, Places> = HashMap::new();
    for field in patch.keys().filter_map(|key| key.strip_prefix(SET_ORDER)) {
        if let Some(Value::Array(items)) = object.get(field) {
            before.insert(field, order::places(items, place.field(field).strategy().key.as_deref()));
        }
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE_FROM) {
            let gone: HashSet<&Value> = array(key, value)?.iter().collect();
            if let Some(Value::Array(items)) = object.get_mut(field) {
                items.retain(|item| !gone.contains(item));
            }
        }
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        if value.is_null() {
            object.remove(key);
            continue;
        }
        let merged = match object.remove(key) {
            None => stripped(value),
            found => Some(merge_field(found, value, place.field(key))?),
        };
        if let Some(merged) = merged {
            object.insert(key.clone(), merged);
        }
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(SET_ORDER) {
            let wanted = array(key, value)?;
            if let Some(Value::Array(items)) = object.get_mut(field) {
                let merge_key = place.field(field).strategy().key.as_deref();
                let before = before.remove(field).unwrap_or_default();
                *items = order::arrange(std::mem::take(items), wanted, merge_key, &before);
            }
        }
    }
    Ok(object)
}

fn merge_field(found: Option<Value>, patch: &Value, place: Place<'_>) -> Result<Value, PatchError> {
    match (found, patch, place.strategy()) {
        (found, Value::Array(patch), Strategy { merge: true, key: Some(key) }) => {
            let found = match found {
                Some(Value::Array(found)) => found,
                _ => Vec::new(),
            };
            Ok(Value::Array(items::merge_items(found, patch, key, place.item())?))
        }
        (Some(Value::Array(found)), Value::Array(patch), Strategy { merge: true, key: None }) => {
            let places = order::places(&found, None);
            let mut seen = HashSet::new();
            let patched = patch.iter().filter(|item| seen.insert(*item));
            let patched = patched.map(|item| (places.get(item).copied(), item.clone())).collect();
            let kept = found.into_iter().enumerate().filter(|(_, item)| !seen.contains(item));
            let kept = kept.map(|(at, item)| (Some(at), item)).collect();
            Ok(Value::Array(order::interleave(kept, patched)))
        }
        (found, patch, _) => merge(found.unwrap_or_default(), patch, place),
    }
}

/// What a patch makes where there was nothing: itself, without nulls, and without what has a directive (upstream:
/// `removeDirectives`).
fn stripped(patch: &Value) -> Option<Value> {
    match patch {
        Value::Object(patch) if patch.contains_key(PATCH) => None,
        Value::Object(patch) => {
            let fields = patch.iter().filter(|(key, value)| !key.starts_with('$') && !value.is_null());
            let fields = fields.filter_map(|(key, value)| Some((key.clone(), stripped(value)?)));
            Some(Value::Object(fields.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(stripped).collect())),
        other => Some(other.clone()),
    }
}

fn array<'a>(directive: &str, value: &'a Value) -> Result<&'a Vec<Value>, PatchError> {
    value.as_array().ok_or_else(|| malformed(format!("{directive} must be a list")))
}

fn unknown(directive: &str) -> PatchError {
    malformed(format!("unknown patch directive {directive:?}"))
}

fn malformed(why: String) -> PatchError {
    PatchError::Malformed(format!("error decoding patch: {why}"))
}

#[cfg(test)]
mod tests;
