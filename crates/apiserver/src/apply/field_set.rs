//! Sets of fields of an object.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde_json::Value;

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Element {
    /// The field of an object.
    Field(String),
    /// The item of a list with these key fields, as JSON with sorted fields.
    Key(String),
    /// The item of a list that is this value, as JSON.
    Value(String),
    /// The item at this position.
    Index(i64),
}

/// A set of places in an object: of this one, perhaps, and of some below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    /// Whether the place itself is in the set.
    pub(crate) here: bool,
    pub(crate) below: BTreeMap<Element, FieldSet>,
}

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    pub(crate) fn insert(&mut self, path: &[Element]) {
        match path {
            [] => self.here = true,
            [first, rest @ ..] => self.below.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// Adds all that `other` has.
    pub(crate) fn add(&mut self, other: &Self) {
        self.here |= other.here;
        for (element, theirs) in &other.below {
            match self.below.entry(element.clone()) {
                Entry::Occupied(mut ours) => ours.get_mut().add(theirs),
                Entry::Vacant(vacant) => _ = vacant.insert(theirs.clone()),
            }
        }
    }

    /// Takes away all that `other` has.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.here &= !other.here;
        for (element, theirs) in &other.below {
            if let Entry::Occupied(mut ours) = self.below.entry(element.clone()) {
                ours.get_mut().subtract(theirs);
                if ours.get().is_empty() {
                    ours.remove();
                }
            }
        }
    }

    /// What is in both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let below = self.below.iter().filter_map(|(element, ours)| {
            let common = ours.common(other.below.get(element)?);
            (!common.is_empty()).then(|| (element.clone(), common))
        });
        Self { here: self.here && other.here, below: below.collect() }
    }

    /// The places in the set as `kubectl` prints them, `.spec.containers[name="app"].image`, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    /// Those of one level come before all that are deeper (upstream: `fieldpath.Set.Iterate`).
    fn collect(&self, path: &mut String, paths: &mut Vec<String>) {
        for (element, _) in self.below.iter().filter(|(_, set)| set.here) {
            paths.push(format!("{path}{element}"));
        }
        for (element, set) in self.below.iter().filter(|(_, set)| !set.below.is_empty()) {
            let len = path.len();
            path.push_str(&element.to_string());
            set.collect(path, paths);
            path.truncate(len);
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(key) => match serde_json::from_str(key) {
                Ok(Value::Object(fields)) => {
                    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
                    write!(f, "[{}]", fields.collect::<Vec<_>>().join(","))
                }
                _ => write!(f, "[{key}]"),
            },
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}
