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

mod order;

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
        let retained = array(RETAIN_KEYS, retained)?;
        object.retain(|key, _| retained.iter().any(|name| name == key));
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE_FROM) {
            let gone = array(key, value)?;
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
            Ok(Value::Array(merge_items(found, patch, key, place.item())?))
        }
        (Some(Value::Array(mut found)), Value::Array(patch), Strategy { merge: true, key: None }) => {
            for item in patch {
                if !found.contains(item) {
                    found.push(item.clone());
                }
            }
            Ok(Value::Array(found))
        }
        (found, patch, _) => merge(found.unwrap_or_default(), patch, place),
    }
}

fn merge_items(
    mut items: Vec<Value>,
    patch: &[Value],
    key: &str,
    place: Place<'_>,
) -> Result<Vec<Value>, PatchError> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        let rest = patch.iter().filter(|item| directive(item).is_none());
        return rest.map(|item| stripped(item, place)).collect();
    }
    for item in patch {
        let Some(name) = item.get(key) else {
            return Err(malformed(format!("map: {item} does not contain declared merge key: {key}")));
        };
        let at = items.iter().position(|found| found.get(key) == Some(name));
        match (directive(item).as_deref(), at) {
            (Some("delete"), _) => items.retain(|found| found.get(key) != Some(name)),
            (_, Some(at)) => items[at] = merge(std::mem::take(&mut items[at]), item, place)?,
            (_, None) => items.push(stripped(item, place)?),
        }
    }
    Ok(items)
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
