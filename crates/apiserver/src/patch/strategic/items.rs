//! Lists whose items have a key: they are merged one by one.

use std::collections::HashMap;

use serde_json::Value;

use super::{PATCH, malformed, merge, order, stripped, unknown};
use crate::{patch::PatchError, schema::Place};

pub(super) fn merge_items(
    items: Vec<Value>,
    patch: &[Value],
    key: &str,
    place: Place<'_>,
) -> Result<Vec<Value>, PatchError> {
    // Where the items of each name are: mostly one.
    let mut places: HashMap<Value, Vec<usize>> = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if let Some(name) = item.get(key) {
            places.entry(name.clone()).or_default().push(at);
        }
    }
    let mut items: Vec<Option<Value>> = items.into_iter().map(Some).collect();
    // First the items with directives, wherever they are (upstream: `mergeSliceWithSpecialElements`).
    let mut replaces = false;
    let mut rest: Vec<&Value> = Vec::with_capacity(patch.len());
    for item in patch {
        match item.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
            None => rest.push(item),
            Some("replace") => replaces = true,
            Some("delete") => {
                for at in places.remove(name_of(item, key)?).unwrap_or_default() {
                    items[at] = None;
                }
            }
            Some("merge") => {
                return Err(malformed("merging lists cannot yet be specified in the patch".into()));
            }
            Some(other) => return Err(unknown(other)),
        }
    }
    if replaces {
        return Ok(rest.into_iter().filter_map(stripped).collect());
    }
    let mut patched: Vec<order::Placed> = Vec::with_capacity(rest.len());
    // Of the names that the patch has had, where in `patched` they are.
    let mut had: HashMap<&Value, usize> = HashMap::new();
    for item in rest {
        let name = name_of(item, key)?;
        if let Some(&at) = had.get(name) {
            let found = std::mem::take(&mut patched[at].1);
            patched[at].1 = merge(found, item, place)?;
            continue;
        }
        had.insert(name, patched.len());
        patched.push(match places.get(name).and_then(|places| places.first()) {
            Some(&at) => (Some(at), merge(items[at].take().unwrap_or_default(), item, place)?),
            None => (None, stripped(item).unwrap_or_default()),
        });
    }
    let kept = items.into_iter().enumerate().filter_map(|(at, item)| Some((Some(at), item?))).collect();
    Ok(order::interleave(kept, patched))
}

/// What an item of a patch is matched by.
fn name_of<'a>(item: &'a Value, key: &str) -> Result<&'a Value, PatchError> {
    let missing = || malformed(format!("map: {item} does not contain declared merge key: {key}"));
    item.get(key).ok_or_else(missing)
}
