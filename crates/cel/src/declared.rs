//! What is known of a variable's value before there is one: its type, and how large it can be.

use std::{collections::BTreeMap, sync::Arc};

use crate::{kind::Type, syntax::RESERVED};

/// The type of a value that comes from JSON, and how large it can be (upstream: apiserver, `cel.DeclType`).
#[derive(Clone, Debug)]
pub struct Declared {
    pub(crate) of: Type,
    /// How many items, fields or bytes it has at most, where the type leaves that open.
    pub(crate) max: u64,
    /// How many bytes of JSON it takes at least.
    pub(crate) min_bytes: u64,
    /// Of a list's items or a map's values.
    pub(crate) items: Option<Arc<Declared>>,
    pub(crate) lists: Lists,
}

/// Whether the items of a list have an order, or what they are known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lists {
    /// They have an order.
    #[default]
    Atomic,
    /// They are known by themselves.
    Set,
    /// They are known by these fields.
    Map(Vec<String>),
}

/// An object with declared fields.
#[derive(Debug)]
pub struct Object {
    name: String,
    /// By the names that expressions use.
    fields: BTreeMap<String, Field>,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: String,
    /// What it is.
    pub declared: Arc<Declared>,
}

impl Declared {
    /// A value of a type without items.
    pub fn simple(of: Type, max: u64, min_bytes: u64) -> Self {
        Self { of, max, min_bytes, items: None, lists: Lists::Atomic }
    }

    /// A list of at most `max` items.
    pub fn list(items: Self, max: u64, lists: Lists) -> Self {
        Self { of: Type::list(items.of.clone()), max, min_bytes: 2, items: Some(Arc::new(items)), lists }
    }

    /// A map from text to at most `max` values.
    pub fn map(values: Self, max: u64) -> Self {
        Self {
            of: Type::map(Type::String, values.of.clone()),
            max,
            min_bytes: 2,
            items: Some(Arc::new(values)),
            lists: Lists::Atomic,
        }
    }

    /// An object. `fields`: by the names that expressions use.
    pub fn object(name: impl Into<String>, fields: BTreeMap<String, Field>, min_bytes: u64) -> Self {
        let object = Object { name: name.into(), fields };
        Self::simple(Type::Object(Arc::new(object)), 0, min_bytes)
    }

    /// The type of the value.
    pub fn of(&self) -> &Type {
        &self.of
    }

    /// How many bytes of JSON the value takes at least.
    pub fn min_bytes(&self) -> u64 {
        self.min_bytes
    }

    /// Of a list's items or a map's values.
    pub fn items(&self) -> Option<&Self> {
        self.items.as_deref()
    }

    /// Of a field, by the name that expressions use.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match &self.of {
            Type::Object(object) => Some(&object.field(name)?.declared),
            _ => None,
        }
    }
}

impl Object {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }
}

/// Names that mean something, so that no identifier can have them; nor those in [`RESERVED`].
const MEANT: [&str; 4] = ["true", "false", "null", "in"];

/// The name that expressions use for a field; `None` where they cannot name it (upstream: apiserver, `cel.Escape`).
pub fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    if MEANT.contains(&name) || RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut escaped = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(char) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("__") {
            escaped.push_str("__underscores__");
            rest = after;
            continue;
        }
        match char {
            '.' => escaped.push_str("__dot__"),
            '-' => escaped.push_str("__dash__"),
            '/' => escaped.push_str("__slash__"),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => escaped.push(char),
            _ => return None,
        }
        rest = &rest[char.len_utf8()..];
    }
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let cases = [
            ("replicas", Some("replicas")),
            ("my_field", Some("my_field")),
            ("namespace", Some("__namespace__")),
            ("a-b.c/d", Some("a__dash__b__dot__c__slash__d")),
            ("a__b", Some("a__underscores__b")),
            ("1a", None),
            ("a b", None),
            ("", None),
        ];
        for (name, expect) in cases {
            assert_eq!(escape(name).as_deref(), expect, "{name}");
        }
    }
}
