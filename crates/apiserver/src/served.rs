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
pub(crate) mod form;
mod kinds;
mod recent;
mod version;

use std::{collections::HashMap, sync::Arc};

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
    documents: Mutex<HashMap<String, Document>>,
    /// The one of OpenAPI v2, if somebody has asked for it.
    whole: Mutex<Option<Whole>>,
}

/// What has been written of a group and version in OpenAPI. It takes long, and every kubectl asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) text: Option<Bytes>,
    pub(crate) digest: Option<Arc<str>>,
}

/// What has been written of all groups and versions in OpenAPI v2, and its digest.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) text: Bytes,
    pub(crate) digest: Arc<str>,
}

/// What a document is made of: the kinds, and which definitions those of users have.
type Parts = Vec<(&'static Kind, Option<*const Definition>)>;

impl Served {
    fn new(kinds: Vec<&'static Kind>, definitions: HashMap<&'static Kind, Arc<Definition>>) -> Self {
        Self { kinds, definitions, documents: Mutex::default(), whole: Mutex::default() }
    }

    /// Takes over what has been written of groups and versions that are served as they were.
    fn keeping(self, before: &Self) -> Self {
        let (now, then) = (self.parts(), before.parts());
        let known = before.documents.lock();
        let alike = known.iter().filter(|(name, _)| now.get(*name) == then.get(*name));
        *self.documents.lock() = alike.map(|(name, document)| (name.clone(), document.clone())).collect();
        if now == then {
            self.whole.lock().clone_from(&before.whole.lock());
        }
        self
    }

    /// By groups and versions.
    fn parts(&self) -> HashMap<String, Parts> {
        let mut parts: HashMap<String, Parts> = HashMap::new();
        for &kind in &self.kinds {
            let definition = self.definition(kind).map(Arc::as_ptr);
            parts.entry(document_name(kind.group, kind.version)).or_default().push((kind, definition));
        }
        parts
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

    /// What has been written of a group and version.
    pub(crate) fn document(&self, group: &str, version: &str) -> Document {
        self.documents.lock().get(&document_name(group, version)).cloned().unwrap_or_default()
    }

    /// The OpenAPI document of a group and version, which is written when it is first asked for. `None` where there is
    /// none.
    pub(crate) fn text(
        &self,
        group: &str,
        version: &str,
        write: impl FnOnce() -> Option<Value>,
    ) -> Option<Bytes> {
        if let Some(known) = self.document(group, version).text {
            return Some(known);
        }
        let text = Bytes::from(write()?.to_string());
        self.documents.lock().entry(document_name(group, version)).or_default().text = Some(text.clone());
        Some(text)
    }

    /// Whether the document of all groups and versions has been written.
    pub(crate) fn has_whole(&self) -> bool {
        self.whole.lock().is_some()
    }

    /// The document of all groups and versions, which is written when it is first asked for.
    pub(crate) fn whole(&self, write: impl FnOnce() -> Whole) -> Whole {
        let known = self.whole.lock().clone();
        known.unwrap_or_else(|| {
            let whole = write();
            *self.whole.lock() = Some(whole.clone());
            whole
        })
    }

    /// The digest of a group and version's document, likewise.
    pub(crate) fn digest(
        &self,
        group: &str,
        version: &str,
        make: impl FnOnce() -> Option<String>,
    ) -> Option<Arc<str>> {
        if let Some(known) = self.document(group, version).digest {
            return Some(known);
        }
        let digest: Arc<str> = make()?.into();
        self.documents.lock().entry(document_name(group, version)).or_default().digest =
            Some(Arc::clone(&digest));
        Some(digest)
    }
}

fn document_name(group: &str, version: &str) -> String {
    format!("{group}/{version}")
}

#[cfg(test)]
mod tests {
    use resources::{
        Object,
        custom::{self, CustomResourceDefinition},
        downcast, kinds,
    };
    use serde_json::json;

    use super::*;

    fn defined(group: &str) -> Arc<Definition> {
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
        let names = json!({"plural": "kepts", "kind": "Kept"});
        let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": [version]});
        let tree = json!({"metadata": {"name": format!("kepts.{group}")}, "spec": spec});
        let crd = <CustomResourceDefinition as Object>::kind().decode_value(tree.clone()).unwrap();
        let crd = downcast::<CustomResourceDefinition>(crd).unwrap();
        definition::of(&crd, &custom::kinds(&crd), &tree, 1).remove(0)
    }

    fn table(all: &[&Arc<Definition>]) -> Served {
        let kinds = kinds::all().iter().copied().chain(all.iter().map(|it| it.own.kind));
        let definitions = all.iter().map(|it| (it.own.kind, Arc::clone(it)));
        Served::new(kinds.collect(), definitions.collect())
    }

    #[test]
    fn only_documents_of_what_changes_are_written_anew() {
        let (one, two) = (defined("one.example.com"), defined("two.example.com"));
        let before = table(&[&one, &two]);
        let groups = ["apps", "one.example.com", "two.example.com"];
        for group in groups {
            before.text(group, "v1", || Some(json!("old")));
        }
        let after = table(&[&defined("one.example.com"), &two]).keeping(&before);
        let texts = groups.map(|group| after.text(group, "v1", || Some(json!("new"))).unwrap());
        assert_eq!(texts, [r#""old""#, r#""new""#, r#""old""#]);
        let gone = table(&[&two]).keeping(&after);
        assert!(gone.document("one.example.com", "v1").text.is_none());
    }
}
