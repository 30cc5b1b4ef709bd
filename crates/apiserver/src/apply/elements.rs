//! What the items of a list are called.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use super::field_set::Element;
use crate::schema::{ListKind, Place};

/// Why the items of a list have no names of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The list is one value.
    Atomic,
    /// An item that should have a key is no object.
    NoObject(usize),
    /// An item has not all of its key.
    NoKey(usize, String),
    /// Two items have the same.
    Twice(Element),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atomic => f.write_str("the list is one value"),
            Self::NoObject(at) => {
                write!(f, "element {at}: associative list with keys may not have non-map elements")
            }
            Self::NoKey(at, key) => write!(
                f,
                "element {at}: associative list with keys has an element that omits key field {key:?} (and doesn't have default value)"
            ),
            Self::Twice(name) => write!(f, "duplicate entries for key {name}"),
        }
    }
}

/// The names of a list's items, in their order.
pub(super) fn of(list: &[Value], place: Place<'_>) -> Result<Vec<Element>, KeyError> {
    let name = |(at, item): (usize, &Value)| match place.list() {
        ListKind::Atomic => Err(KeyError::Atomic),
        ListKind::Set => Ok(Element::Value(item.to_string())),
        ListKind::Map(_) if !item.is_object() => Err(KeyError::NoObject(at)),
        ListKind::Map(keys) => key(item, place.item(), keys).map_err(|key| KeyError::NoKey(at, key)),
    };
    if *place.list() == ListKind::Atomic {
        return Err(KeyError::Atomic);
    }
    let names = list.iter().enumerate().map(name).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(KeyError::Twice(twice.clone())),
        None => Ok(names),
    }
}

fn key(item: &Value, place: Place<'_>, names: &[String]) -> Result<Element, String> {
    let mut key = Map::new();
    for field in place.key_fields(names) {
        match item.get(field.name).or(field.default) {
            Some(value) if !value.is_null() => _ = key.insert(field.name.to_owned(), value.clone()),
            // Upstream: a key of several fields may lack some.
            _ if names.len() > 1 => {}
            _ => return Err(field.name.to_owned()),
        }
    }
    if key.is_empty() {
        return Err(names.join(", "));
    }
    Ok(Element::Key(Value::Object(key).to_string()))
}
