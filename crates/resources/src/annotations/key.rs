//! An annotation key with the older spellings that still count.

use std::collections::BTreeMap;

use crate::meta::ObjectMeta;

/// The spellings of one annotation, in the order in which they count. The first is what Ebb writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(&'static [&'static str]);

impl Key {
    pub(crate) const fn new(spellings: &'static [&'static str]) -> Self {
        Self(spellings)
    }

    /// The spelling that Ebb writes.
    pub const fn name(&self) -> &'static str {
        self.0[0]
    }

    /// Every spelling, the first that is present counts.
    pub const fn spellings(&self) -> &'static [&'static str] {
        self.0
    }

    /// The spelling that is present, and its value. Errors name this spelling, since the user wrote it.
    pub fn find<'a>(&self, annotations: &'a BTreeMap<String, String>) -> Option<(&'static str, &'a str)> {
        self.0.iter().find_map(|spelling| Some((*spelling, annotations.get(*spelling)?.as_str())))
    }

    /// The value in an object's annotations.
    pub fn of<'a>(&self, metadata: &'a ObjectMeta) -> Option<&'a str> {
        lookup(metadata.annotations.as_ref()?, self)
    }
}

/// The value of an annotation under any of its spellings.
pub fn lookup<'a>(annotations: &'a BTreeMap<String, String>, key: &Key) -> Option<&'a str> {
    key.find(annotations).map(|(_, value)| value)
}
