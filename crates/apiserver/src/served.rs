//! The kinds that are served: those that Ebb has types of, and those that users define.
//!
//! ```text
//!   a CustomResourceDefinition is written ─► Kinds::observe ─► Served, a new table
//!                                                                │
//!              paths, discovery, OpenAPI, admission, tables ◄────┘  each request takes one and keeps it
//! ```
//!
//! A table is changed when a definition's write has its place in the order, before its writer has its answer.

mod columns;
mod definition;
mod kinds;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use resources::Kind;

pub(crate) use self::{
    definition::{Definition, Version, reference},
    kinds::{Going, Kinds, no_room},
};

/// The kinds that are served at one time.
#[derive(Debug)]
pub(crate) struct Served {
    kinds: Vec<&'static Kind>,
    definitions: HashMap<&'static Kind, Arc<Definition>>,
    /// Of its documents, by their paths, once somebody has asked.
    digests: OnceLock<BTreeMap<String, String>>,
}

impl Served {
    fn new(kinds: Vec<&'static Kind>, definitions: HashMap<&'static Kind, Arc<Definition>>) -> Self {
        Self { kinds, definitions, digests: OnceLock::new() }
    }

    /// The digests of its documents, which are made once.
    pub(crate) fn digests(
        &self,
        make: impl FnOnce() -> BTreeMap<String, String>,
    ) -> &BTreeMap<String, String> {
        self.digests.get_or_init(make)
    }

    /// Every kind, in the order of discovery.
    pub(crate) fn all(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// The kinds of one group and version.
    pub(crate) fn of_version(&self, group: &str, version: &str) -> impl Iterator<Item = &'static Kind> {
        self.kinds.iter().copied().filter(move |kind| kind.group == group && kind.version == version)
    }

    /// The kind with this name in URLs.
    pub(crate) fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        self.of_version(group, version).find(|kind| kind.plural == plural)
    }

    /// What a user says of a kind, also of a version that is kept and not served; `None` for one that Ebb has a type of.
    /// A kind that was defined with other names before is the same.
    pub(crate) fn definition(&self, kind: &'static Kind) -> Option<&Arc<Definition>> {
        if !kind.is_defined() {
            return None;
        }
        let alike = || {
            let mut all = self.definitions.iter();
            all.find(|(known, _)| known.hub() == kind.hub() && known.version == kind.version)
        };
        self.definitions.get(kind).or_else(|| alike().map(|(_, definition)| definition))
    }
}
