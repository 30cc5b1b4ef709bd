//! `$setElementOrder`: the order of a merged list.

use std::collections::HashMap;

use serde_json::Value;

/// Puts the items that `wanted` names in its order; the others stay where they were among them.
///
/// `wanted` has the values themselves or, for a list that is merged by a key, objects with that key.
pub(super) fn arrange(items: Vec<Value>, wanted: &[Value], merge_key: Option<&str>) -> Vec<Value> {
    let name = |item: &Value| match merge_key {
        Some(key) => item.get(key).cloned().unwrap_or_default(),
        None => item.clone(),
    };
    let mut places = HashMap::with_capacity(wanted.len());
    for (place, wanted) in wanted.iter().enumerate() {
        places.entry(name(wanted)).or_insert(place);
    }
    let (mut named, mut others) = (Vec::with_capacity(items.len()), Vec::new());
    for (at, item) in items.into_iter().enumerate() {
        match places.get(&name(&item)) {
            Some(place) => named.push((*place, at, item)),
            None => others.push((at, item)),
        }
    }
    named.sort_by_key(|(place, ..)| *place);
    let mut arranged = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (_, at, item) in named {
        // One that nobody named stays before those that it was before.
        while let Some((_, other)) = others.next_if(|(other_at, _)| *other_at < at) {
            arranged.push(other);
        }
        arranged.push(item);
    }
    arranged.extend(others.map(|(_, other)| other));
    arranged
}
