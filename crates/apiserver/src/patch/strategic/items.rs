//! Lists whose items have a key: they are merged one by one.

use std::collections::HashMap;

use serde_json::Value;

use super::{PATCH, malformed, merge, stripped};
use crate::{patch::PatchError, schema::Place};

pub(super) fn merge_items(
    items: Vec<Value>,
    patch: &[Value],
    key: &str,
    place: Place<'_>,
) -> Result<Vec<Value>, PatchError> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        let rest = patch.iter().filter(|item| directive(item).is_none());
        return rest.map(|item| stripped(item, place)).collect();
    }
    // Where the items of each name are: mostly one. What is deleted leaves its place empty until the end.
    let mut places: HashMap<Value, Vec<usize>> = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if let Some(name) = item.get(key) {
            places.entry(name.clone()).or_default().push(at);
        }
    }
    let mut items: Vec<Option<Value>> = items.into_iter().map(Some).collect();
    for item in patch {
        let Some(name) = item.get(key) else {
            return Err(malformed(format!("map: {item} does not contain declared merge key: {key}")));
        };
        if directive(item).as_deref() == Some("delete") {
            for at in places.remove(name).unwrap_or_default() {
                items[at] = None;
            }
            continue;
        }
        match places.get(name).and_then(|places| places.first()) {
            Some(&at) => items[at] = Some(merge(items[at].take().unwrap_or_default(), item, place)?),
            None => {
                places.entry(name.clone()).or_default().push(items.len());
                items.push(Some(stripped(item, place)?));
            }
        }
    }
    Ok(items.into_iter().flatten().collect())
}
