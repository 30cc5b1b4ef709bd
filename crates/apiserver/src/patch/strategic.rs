//! Strategic merge patch: an RFC 7396 merge that knows lists, with directives for what merging cannot say.
//!
//! | directive | where | what it does |
//! |---|---|---|
//! | `$patch: replace` | object | the object becomes what the patch has |
//! | `$patch: delete` | object, list item | it goes |
//! | `$patch: replace` | list item | the list becomes what the patch has |
//! | `$retainKeys: […]` | object | all other fields go |
//! | `$deleteFromPrimitiveList/F: […]` | object | these values go from list `F` |
//! | `$setElementOrder/F: […]` | object | list `F` is put in this order |

mod items;
mod order;

use std::collections::HashSet;

use serde_json::{Map, Value};

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
        (_, patch) => stripped(patch, place),
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
        Some(other) => return Err(malformed(format!("unknown patch directive {other:?}"))),
    }
    if let Some(retained) = patch.get(RETAIN_KEYS) {
        let retained = array(RETAIN_KEYS, retained)?.iter().filter_map(Value::as_str);
        let retained: HashSet<&str> = retained.collect();
        object.retain(|key, _| retained.contains(key.as_str()));
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
        let merged = merge_field(object.remove(key), value, place.field(key))?;
        object.insert(key.clone(), merged);
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(SET_ORDER) {
            let wanted = array(key, value)?;
            if let Some(Value::Array(items)) = object.get_mut(field) {
                let merge_key = place.field(field).strategy().key.as_deref();
                *items = order::arrange(std::mem::take(items), wanted, merge_key);
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
        (Some(Value::Array(mut found)), Value::Array(patch), Strategy { merge: true, key: None }) => {
            let known: HashSet<&Value> = found.iter().collect();
            let mut seen = HashSet::new();
            let new = patch.iter().filter(|item| !known.contains(item) && seen.insert(*item));
            let new: Vec<Value> = new.cloned().collect();
            found.extend(new);
            Ok(Value::Array(found))
        }
        (found, patch, _) => merge(found.unwrap_or_default(), patch, place),
    }
}

/// What a patch makes where there was nothing: itself, without directives and nulls.
fn stripped(patch: &Value, place: Place<'_>) -> Result<Value, PatchError> {
    match patch {
        Value::Object(patch) => Ok(Value::Object(merge_objects(Map::new(), patch, place)?)),
        other => Ok(other.clone()),
    }
}

fn array<'a>(directive: &str, value: &'a Value) -> Result<&'a Vec<Value>, PatchError> {
    value.as_array().ok_or_else(|| malformed(format!("{directive} must be a list")))
}

fn malformed(why: String) -> PatchError {
    PatchError::Malformed(format!("error decoding patch: {why}"))
}

#[cfg(test)]
mod tests;
