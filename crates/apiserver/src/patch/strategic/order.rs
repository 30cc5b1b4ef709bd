//! The order of a list that was merged.

use std::collections::HashMap;

use serde_json::Value;

/// Where the items of a list are, by what they are matched by.
pub(super) type Places = HashMap<Value, usize>;

/// An item, and where it was before the patch.
pub(super) type Placed = (Option<usize>, Value);

/// Where the items of a list are: by this field of each, or else by themselves. Of two that are alike, the first counts.
pub(super) fn places(items: &[Value], merge_key: Option<&str>) -> Places {
    let mut places = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        places.entry(name(item, merge_key)).or_insert(at);
    }
    places
}

/// What an item is matched by.
fn name(item: &Value, merge_key: Option<&str>) -> Value {
    match merge_key {
        Some(key) => item.get(key).cloned().unwrap_or_default(),
        None => item.clone(),
    }
}

/// What the patch does not speak of, among what it does. Both keep their own order; between two that were there before,
/// the old one counts, and what is new comes as soon as it can (upstream: `mergeSortedSlice`).
pub(super) fn interleave(kept: Vec<Placed>, patched: Vec<Placed>) -> Vec<Value> {
    let mut items = Vec::with_capacity(kept.len() + patched.len());
    let (mut kept, mut patched) = (kept.into_iter().peekable(), patched.into_iter().peekable());
    loop {
        let is_before = match (kept.peek(), patched.peek()) {
            (Some((Some(one), _)), Some((Some(other), _))) => one < other,
            (kept, patched) => kept.is_some() && patched.is_none(),
        };
        match if is_before { kept.next() } else { patched.next() } {
            Some((_, item)) => items.push(item),
            None => return items,
        }
    }
}

/// `$setElementOrder`: puts the items that `wanted` names in its order. `before` is where all were before the patch.
///
/// `wanted` has the values themselves or, for a list that is merged by a key, objects with that key.
pub(super) fn arrange(
    items: Vec<Value>,
    wanted: &[Value],
    merge_key: Option<&str>,
    before: &Places,
) -> Vec<Value> {
    let wanted = places(wanted, merge_key);
    let (mut named, mut others) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        let name = name(&item, merge_key);
        let placed = (before.get(&name).copied(), item);
        match wanted.get(&name) {
            Some(place) => named.push((*place, placed)),
            None => others.push(placed),
        }
    }
    named.sort_by_key(|(place, _)| *place);
    interleave(others, named.into_iter().map(|(_, placed)| placed).collect())
}
