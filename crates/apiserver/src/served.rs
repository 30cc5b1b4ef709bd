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
mod version;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use parking_lot::Mutex;
use resources::Kind;
use serde_json::Value;

pub(crate) use self::{
    definition::{Definition, reference},
    kinds::{Kinds, Terminating},
    version::Version,
};

/// The kinds that are served at one time.
#[derive(Debug)]
pub(crate) struct Served {
    kinds: Vec<&'static Kind>,
    definitions: HashMap<&'static Kind, Arc<Definition>>,
    /// The OpenAPI documents that somebody has asked for, by group and version.
    documents: Mutex<HashMap<String, Bytes>>,
    /// Of its documents, by their paths, once somebody has asked.
    digests: OnceLock<BTreeMap<String, String>>,
}

impl Served {
    fn new(kinds: Vec<&'static Kind>, definitions: HashMap<&'static Kind, Arc<Definition>>) -> Self {
        Self { kinds, definitions, documents: Mutex::default(), digests: OnceLock::new() }
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

    /// An OpenAPI document of these kinds, which is written when it is first asked for: that takes long, and every kubectl
    /// asks. `None` where there is none.
    pub(crate) fn document(
        &self,
        group_version: String,
        write: impl FnOnce() -> Option<Value>,
    ) -> Option<Bytes> {
        let mut documents = self.documents.lock();
        if let Some(known) = documents.get(&group_version) {
            return Some(known.clone());
        }
        let text = Bytes::from(write()?.to_string());
        documents.insert(group_version, text.clone());
        Some(text)
    }
}
