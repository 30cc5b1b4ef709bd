//! Lists whose items have a key: they are merged one by one.

use std::collections::HashMap;

use serde_json::Value;

use super::{PATCH, malformed, merge, order, stripped};
use crate::{patch::PatchError, schema::Place};

pub(super) fn merge_items(
    items: Vec<Value>,
    patch: &[Value],
    key: &str,
    place: Place<'_>,
) -> Result<Vec<Value>, PatchError> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        return Ok(patch.iter().filter_map(stripped).collect());
    }
    // Where the items of each name are: mostly one.
    let mut places: HashMap<Value, Vec<usize>> = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if let Some(name) = item.get(key) {
            places.entry(name.clone()).or_default().push(at);
        }
    }
    let mut items: Vec<Option<Value>> = items.into_iter().map(Some).collect();
    let mut patched: Vec<order::Placed> = Vec::new();
    // Of the names that the patch has had, where in `patched` they are.
    let mut had: HashMap<&Value, usize> = HashMap::new();
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
        if let Some(&at) = had.get(name) {
            let found = std::mem::take(&mut patched[at].1);
            patched[at].1 = merge(found, item, place)?;
            continue;
        }
        had.insert(name, patched.len());
        match places.get(name).and_then(|places| places.first()) {
            Some(&at) => patched.push((Some(at), merge(items[at].take().unwrap_or_default(), item, place)?)),
            None => patched.extend(stripped(item).map(|item| (None, item))),
        }
    }
    let kept = items.into_iter().enumerate().filter_map(|(at, item)| Some((Some(at), item?))).collect();
    Ok(order::interleave(kept, patched))
}
