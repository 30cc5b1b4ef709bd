//! Versions are in the order of things, over all objects: one that was given later is greater; a list shows what there was
//! at its version, which is none that was overtaken when it was called; and a watch tells all of it, once and in order.

use std::collections::{BTreeMap, HashMap};

use super::recorded::{Call, Heard, History, Operation, Seen};

pub(crate) fn check(history: &History) -> Result<(), String> {
    let versions: Vec<u64> = history.watched.iter().map(|(version, ..)| *version).collect();
    if !versions.is_sorted_by(|one, other| one < other) {
        return Err("a watch goes back".into());
    }
    let watched: HashMap<u64, (usize, Option<u64>)> =
        history.watched.iter().map(|(version, object, value)| (*version, (*object, *value))).collect();
    let writes: Vec<(&Operation, Seen)> = history.operations.iter().filter_map(written).collect();
    for (operation, (version, value)) in &writes {
        if watched.get(version) != Some(&(operation.object, Some(*value))) {
            return Err(format!("no watch has told of {operation:?}"));
        }
    }
    let deletes = history.operations.iter().filter(|operation| operation.heard == Heard::Deleted).count();
    let told = watched.values().filter(|(_, value)| value.is_none()).count();
    if (writes.len() + deletes, deletes) != (watched.len(), told) {
        let done = writes.len() + deletes;
        return Err(format!(
            "{done} writes, {deletes} of them deletes; watched {} and {told}",
            watched.len()
        ));
    }
    real_time(&writes)?;
    history.operations.iter().try_for_each(|operation| list(history, &writes, operation))
}

fn written(operation: &Operation) -> Option<(&Operation, Seen)> {
    match (&operation.call, &operation.heard) {
        (Call::Create { .. } | Call::Update { .. }, Heard::Object(seen)) => Some((operation, *seen)),
        _ => None,
    }
}

/// Who called after another had its answer has the greater version.
fn real_time(writes: &[(&Operation, Seen)]) -> Result<(), String> {
    for (one, (version, _)) in writes {
        let before = |(other, (earlier, _)): &&(&Operation, Seen)| {
            other.heard_at < one.called_at && earlier >= version
        };
        if let Some((other, _)) = writes.iter().find(before) {
            return Err(format!("{other:?} had ended before {one:?} began, and has the greater version"));
        }
    }
    Ok(())
}

fn list(history: &History, writes: &[(&Operation, Seen)], operation: &Operation) -> Result<(), String> {
    let Heard::List(version, found) = &operation.heard else { return Ok(()) };
    let overtaken =
        writes.iter().find(|(write, (written, _))| write.heard_at < operation.called_at && written > version);
    if let Some((write, _)) = overtaken {
        return Err(format!("{write:?} had ended before a list at {version} began"));
    }
    let mut there: BTreeMap<usize, Seen> = BTreeMap::new();
    for (at, object, value) in history.watched.iter().take_while(|(at, ..)| at <= version) {
        match value {
            Some(value) => there.insert(*object, (*at, *value)),
            None => there.remove(object),
        };
    }
    if there != *found {
        return Err(format!("a list at {version} has {found:?}, and there was {there:?}"));
    }
    Ok(())
}
