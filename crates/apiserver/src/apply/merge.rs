//! A configuration laid over an object.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{elements, field_set::Element};
use crate::schema::Place;

/// The object with all that the configuration says, which wins.
pub(super) fn merge(live: Value, configuration: &Value, place: Place<'_>) -> Value {
    match (live, configuration) {
        (Value::Object(live), Value::Object(configuration)) if !place.is_whole() => {
            Value::Object(merge_objects(live, configuration, place))
        }
        (Value::Array(live), Value::Array(configuration)) => {
            match (elements::of(&live, place), elements::of(configuration, place)) {
                (Ok(live_names), Ok(names)) => Value::Array(merge_lists(
                    live_names.into_iter().zip(live).collect(),
                    names.into_iter().zip(configuration).collect(),
                    place.item(),
                )),
                _ => Value::Array(configuration.clone()),
            }
        }
        (_, configuration) => configuration.clone(),
    }
}

fn merge_objects(
    mut live: Map<String, Value>,
    configuration: &Map<String, Value>,
    place: Place<'_>,
) -> Map<String, Value> {
    for (name, wanted) in configuration {
        let found = live.remove(name);
        let merged = match found {
            // A map that is said to be nothing keeps what others put into it.
            Some(found @ (Value::Object(_) | Value::Array(_))) if wanted.is_null() => found,
            Some(found) => merge(found, wanted, place.field(name)),
            None => wanted.clone(),
        };
        live.insert(name.clone(), merged);
    }
    live
}

/// Items in the order of the configuration; those it does not name stay behind the items they were behind.
fn merge_lists(
    live: Vec<(Element, Value)>,
    configuration: Vec<(Element, &Value)>,
    place: Place<'_>,
) -> Vec<Value> {
    let wanted: HashMap<&Element, usize> =
        configuration.iter().enumerate().map(|(at, (name, _))| (name, at)).collect();
    let mut known: HashMap<&Element, &Value> = HashMap::new();
    for (name, item) in &live {
        known.insert(name, item);
    }
    let mut merged = Vec::with_capacity(live.len() + configuration.len());
    let next_shared = next_shared(&configuration, &known);
    let mut at = 0;
    for (position, (name, item)) in configuration.iter().enumerate() {
        let next_shared = next_shared[position];
        while let Some((found, value)) = live.get(at) {
            match wanted.get(found) {
                None => merged.push(value.clone()),
                Some(_) if found == name => {
                    at += 1;
                    break;
                }
                // Its turn is when the configuration comes to it.
                Some(&turn) if turn > position && next_shared == Some(found) => break,
                Some(_) => {}
            }
            at += 1;
        }
        merged.push(match known.get(name) {
            Some(found) => merge((*found).clone(), item, place),
            None => (*item).clone(),
        });
    }
    merged.extend(
        live[at..].iter().filter(|(name, _)| !wanted.contains_key(name)).map(|(_, item)| item.clone()),
    );
    merged
}

/// For each item of the configuration the name of the first, from it on, that is in the live list as well.
fn next_shared<'a>(
    configuration: &'a [(Element, &Value)],
    known: &HashMap<&Element, &Value>,
) -> Vec<Option<&'a Element>> {
    let mut next = None;
    let mut all: Vec<_> = (configuration.iter().rev())
        .map(|(name, _)| {
            if known.contains_key(name) {
                next = Some(name);
            }
            next
        })
        .collect();
    all.reverse();
    all
}
