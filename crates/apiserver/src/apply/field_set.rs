//! Sets of fields of an object.

use std::{collections::BTreeMap, fmt};

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
            [first, rest @ ..] => self.at(first).insert(rest),
        }
    }

    /// The set below an element, which is made if there is none. The element's text, which may be long, is copied only
    /// then.
    fn at(&mut self, element: &Element) -> &mut Self {
        if !self.below.contains_key(element) {
            self.below.insert(element.clone(), Self::default());
        }
        self.below.get_mut(element).expect("it is there, or was just made")
    }

    /// Gives a field of an object another name; within others, with these: `spec.metrics`.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        let path = |name: &str| -> Vec<Element> {
            name.split('.').map(|field| Element::Field(field.to_owned())).collect()
        };
        if let Some(fields) = self.take(&path(from)) {
            path(to).iter().fold(self, |set, element| set.at(element)).add(&fields);
        }
    }

    /// Takes out what is at a place and below it, and what is empty without it.
    fn take(&mut self, path: &[Element]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        if rest.is_empty() {
            return self.below.remove(first);
        }
        let part = self.below.get_mut(first)?;
        let taken = part.take(rest);
        if part.is_empty() {
            self.below.remove(first);
        }
        taken
    }

    /// Puts a set below an element, if there is anything in it.
    pub(crate) fn put(&mut self, element: &Element, set: Self) {
        if !set.is_empty() {
            self.below.insert(element.clone(), set);
        }
    }

    /// Adds all that `other` has.
    pub(crate) fn add(&mut self, other: &Self) {
        self.here |= other.here;
        for (element, theirs) in &other.below {
            self.at(element).add(theirs);
        }
    }

    /// Takes away all that `other` has. Goes through the smaller set of the two at each place: what every manager of an
    /// object loses by one large change must not cost the change's size for each of them.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.here &= !other.here;
        if self.below.len() <= other.below.len() {
            self.below.retain(|element, ours| {
                if let Some(theirs) = other.below.get(element) {
                    ours.subtract(theirs);
                }
                !ours.is_empty()
            });
            return;
        }
        for (element, theirs) in &other.below {
            let Some(ours) = self.below.get_mut(element) else { continue };
            ours.subtract(theirs);
            if ours.is_empty() {
                self.below.remove(element);
            }
        }
    }

    /// What is in both; found as [`FieldSet::subtract`] does.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let (few, many) = if self.below.len() <= other.below.len() { (self, other) } else { (other, self) };
        let below = few.below.iter().filter_map(|(element, some)| {
            let common = some.common(many.below.get(element)?);
            (!common.is_empty()).then(|| (element.clone(), common))
        });
        Self { here: self.here && other.here, below: below.collect() }
    }

    /// Calls `visit` for each place in the set, in order, with how it is written: as `kubectl` prints it,
    /// `.spec.containers[name="app"].image`.
    pub(crate) fn each_place(&self, visit: &mut impl FnMut(&Place<'_>)) {
        self.each_place_below(None, visit);
    }

    /// Those of one level come before all that are deeper (upstream: `fieldpath.Set.Iterate`).
    fn each_place_below(&self, above: Option<&Place<'_>>, visit: &mut impl FnMut(&Place<'_>)) {
        for (element, _) in self.below.iter().filter(|(_, set)| set.here) {
            visit(&Place { above, element });
        }
        for (element, set) in self.below.iter().filter(|(_, set)| !set.below.is_empty()) {
            set.each_place_below(Some(&Place { above, element }), visit);
        }
    }

    /// Every place in the set, as text.
    #[cfg(test)]
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.each_place(&mut |place| paths.push(place.to_string()));
        paths
    }
}

/// A place in an object, as a chain to the object itself: costs nothing until it is written.
pub(crate) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    element: &'a Element,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        self.element.fmt(f)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> FieldSet {
        let mut set = FieldSet::default();
        for path in paths {
            let elements: Vec<_> = path.split('.').map(|name| Element::Field(name.to_owned())).collect();
            set.insert(&elements);
        }
        set
    }

    #[test]
    fn what_is_within_others_is_renamed_with_all_below_it() {
        let mut fields = set(&["a.b", "a.b.c", "d"]);
        fields.rename("a.b", "a.e");
        assert_eq!(fields.paths(), [".d", ".a.e", ".a.e.c"]);
        fields.rename("a.e", "d");
        assert_eq!(fields.paths(), [".d", ".d.c"], "what has nothing left is gone");
        fields.rename("a.b", "x");
        assert_eq!(fields, set(&["d", "d.c"]));
    }

    #[test]
    fn sets_are_added_subtracted_and_compared() {
        let many = set(&["a", "a.b", "c.d", "c.e", "f"]);
        let few = set(&["a", "c.e", "g"]);
        let without = |one: &FieldSet, other: &FieldSet| {
            let mut left = one.clone();
            left.subtract(other);
            left.paths()
        };
        assert_eq!(without(&many, &few), [".f", ".a.b", ".c.d"]);
        assert_eq!(without(&few, &many), [".g"]);
        assert_eq!(many.common(&few).paths(), [".a", ".c.e"]);
        assert_eq!(few.common(&many), many.common(&few));
        let mut both = few.clone();
        both.add(&many);
        assert_eq!(both.paths(), [".a", ".f", ".g", ".a.b", ".c.d", ".c.e"]);
    }
}
