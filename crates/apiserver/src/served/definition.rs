//! A version of a custom kind together with its storage version: reading, writing and checking its objects.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use objects::{Cause, Error};
use parking_lot::Mutex;
use resources::{
    DynObject, Kind,
    custom::{self, CustomObject, CustomResourceDefinition, DefaultsTooLarge, Patterns},
    schema::REFERENCE,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Version, form, kinds::by_priority, recent::Recent};
use crate::{
    aside::LONG_BYTES,
    store::{Selection, Store, Stored},
};

/// One version of a kind as it is served, and the version that its objects are stored under.
pub(crate) struct Definition {
    pub(crate) own: Arc<Version>,
    pub(crate) stored: Arc<Version>,
    /// Whether clients may use the version.
    pub(super) served: bool,
    /// Objects written after this version already conform to the stored version's schema.
    since: u64,
    terminating: AtomicBool,
    /// Cancelled when the kind is no longer served like this.
    pub(crate) ended: CancellationToken,
    /// Changes that were converted for who watches.
    recent: Mutex<Recent>,
}

impl Definition {
    fn new(own: Arc<Version>, stored: Arc<Version>, served: bool, since: u64) -> Self {
        let (terminating, ended) = (AtomicBool::new(false), CancellationToken::new());
        Self { own, stored, served, since, terminating, ended, recent: Mutex::default() }
    }

    /// Whether the definition is being deleted, so that no objects may be created.
    pub(crate) fn is_terminating(&self) -> bool {
        self.terminating.load(Ordering::Relaxed)
    }

    pub(super) fn set_terminating(&self, terminating: bool) {
        self.terminating.store(terminating, Ordering::Relaxed);
    }

    /// Prunes fields that the schema does not have, and fills in its defaults. Returns the paths of the pruned fields.
    ///
    /// # Errors
    /// When that would make the object too large.
    pub(crate) fn complete(&self, object: &mut Value) -> Result<Vec<String>, DefaultsTooLarge> {
        self.own.schema.complete(object)
    }

    /// A stored object converted to this version (upstream: a read from etcd prunes and defaults by the stored version,
    /// then converts).
    pub(crate) fn view(&self, stored: &Arc<Stored>) -> Result<Arc<Stored>, Error> {
        let own = self.own.kind;
        if own == self.stored.kind && stored.is_written_as(own, self.since) {
            return Ok(Arc::clone(stored));
        }
        let mut value = stored.object()?.to_value();
        self.stored.schema.complete_stored(&mut value);
        if own != self.stored.kind {
            self.own.schema.prune(&mut value);
        }
        value["apiVersion"] = own.api_version().into();
        let object = own.decode_value(value);
        let object =
            object.map_err(|error| Error::Internal(format!("a stored {own:?} cannot be read: {error}")))?;
        Ok(Arc::new(Stored::hot(stored.version, object, stored.cost())))
    }

    /// As [`Definition::view`], for one of many who are told the same: it is converted once, or a few times.
    pub(crate) fn view_change(&self, stored: &Arc<Stored>) -> Result<Arc<Stored>, Error> {
        if let Some(known) = self.recent.lock().get(stored) {
            return Ok(known);
        }
        let viewed = self.view(stored)?;
        if !Arc::ptr_eq(stored, &viewed) {
            viewed.cool();
            self.recent.lock().keep(stored, &viewed);
        }
        Ok(viewed)
    }

    /// As [`Definition::view`], for many. After a schema change each may have to be converted, so other tasks get their
    /// turn in between. The results are not stored: the next schema may bring back fields that this one lacks.
    pub(crate) async fn view_all(&self, all: &mut [Arc<Stored>]) -> Result<(), Error> {
        form::each(all, |stored| self.view(stored)).await
    }

    /// Makes the objects of the kind selectable by the fields that a selection names.
    pub(crate) async fn prepare(&self, store: &Store, selection: &Selection) -> Result<(), Error> {
        store.prepare(self.own.kind, selection, self.since, |stored| self.view(stored)).await
    }

    /// An object of this version converted to the storage version.
    pub(crate) fn to_stored(&self, object: Arc<dyn DynObject>) -> Result<Arc<dyn DynObject>, Error> {
        let kind = self.stored.kind;
        if object.kind() == kind {
            return Ok(object);
        }
        let mut value = object.to_value();
        value["apiVersion"] = kind.api_version().into();
        let completed = self.stored.schema.complete(&mut value);
        completed.map_err(|too_large| Error::TooLarge(format!("Request entity too large: {too_large}")))?;
        let object = kind.decode_value(value);
        object.map_err(|error| Error::Internal(format!("an object cannot be stored as {kind:?}: {error}")))
    }

    /// What is wrong with an object of this version. `old`: what it replaces; `status`: whether its status alone is
    /// written.
    pub(crate) fn check(
        &self,
        object: &dyn DynObject,
        old: Option<&dyn DynObject>,
        status: bool,
    ) -> Result<(), Error> {
        let kind = self.own.kind;
        let Some(new) = as_custom(object) else {
            return Err(Error::Internal(format!("an object of another kind was written as {kind:?}")));
        };
        let validate = if status { custom::validate_status } else { custom::validate };
        let errors = validate(new, old.and_then(as_custom), &self.own.schema, self.own.rules.as_ref());
        if errors.is_empty() {
            return Ok(());
        }
        let cause = |error: &resources::admission::FieldError| Cause {
            field: error.field.clone(),
            reason: error.kind.reason().into(),
            message: error.body(),
        };
        let name = object.metadata().name.clone().unwrap_or_default();
        Err(Error::Invalid { kind, name, causes: errors.iter().map(cause).collect() })
    }
}

impl Definition {
    /// How much work a write is at least, as bytes of JSON: rules can take a while, whatever the object.
    pub(crate) fn work_bytes(&self) -> usize {
        if self.own.rules.is_some() { LONG_BYTES } else { 0 }
    }

    /// What rules say of an object that they said of the one before, so that it was not refused for it.
    pub(crate) fn known_faults(&self, object: &dyn DynObject, before: &dyn DynObject) -> Vec<String> {
        match (as_custom(object), as_custom(before), &self.own.rules) {
            (Some(object), Some(before), Some(rules)) => custom::known_faults(object, before, rules),
            _ => Vec::new(),
        }
    }
}

fn as_custom(object: &dyn DynObject) -> Option<&CustomObject> {
    (object as &dyn Any).downcast_ref()
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the definition of {:?}", self.own.kind)
    }
}

/// Where a reference to a kind's definition leads.
pub(crate) fn reference(kind: &Kind) -> String {
    format!("{REFERENCE}{}", kind.definition_name())
}

/// The versions of a definition, each with the stored one.
pub(super) fn of(
    crd: &CustomResourceDefinition,
    kinds: &[&'static Kind],
    tree: &Value,
    since: u64,
) -> Vec<Arc<Definition>> {
    let settled =
        crd.spec.versions.iter().filter(|version| version.served && version.deprecated != Some(true));
    let settled = settled.map(|version| version.name.as_str()).max_by_key(|name| by_priority(name));
    let mut patterns = Patterns::of_stored();
    let versions: Vec<Arc<Version>> = (crd.spec.versions.iter().zip(kinds))
        .map(|(version, kind)| {
            let newer = |other: &&str| by_priority(other) > by_priority(&version.name);
            Arc::new(Version::new(kind, version, tree, settled.filter(newer), &mut patterns))
        })
        .collect();
    let stored = crd.spec.versions.iter().position(|version| version.storage).unwrap_or_default();
    let stored = &versions[stored];
    (crd.spec.versions.iter().zip(&versions))
        .map(|(version, own)| {
            Arc::new(Definition::new(Arc::clone(own), Arc::clone(stored), version.served, since))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use resources::{Object, downcast};
    use serde_json::json;

    use super::*;

    /// The kinds of a stored definition with these versions, and what becomes of them.
    fn defined(versions: &Value) -> (Vec<&'static Kind>, Vec<Arc<Definition>>) {
        let names = json!({"plural": "viewed", "kind": "Viewed"});
        let tree = json!({
            "metadata": {"name": "viewed.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions},
        });
        let crd = <CustomResourceDefinition as Object>::kind().decode_value(tree.clone()).unwrap();
        let crd = downcast::<CustomResourceDefinition>(crd).unwrap();
        let kinds = custom::kinds(&crd);
        let definitions = of(&crd, &kinds, &tree, 1000);
        (kinds, definitions)
    }

    #[test]
    fn who_has_stored_more_patterns_than_are_accepted_now_can_write_objects() {
        // Each has as many states as there are letters in Unicode, twenty times: half of them would have room.
        let rule = |at: usize| json!({"rule": format!("!self.matches('\\\\w{{20}}-{at}-')")});
        let text = json!({
            "type": "string",
            "x-kubernetes-validations": (0..32).map(rule).collect::<Vec<_>>(),
        });
        let schema = json!({"type": "object", "properties": {"text": text}});
        let version =
            json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let (kinds, definitions) = defined(&json!([version]));
        let write = |text: &str| {
            let object = json!({
                "apiVersion": "example.com/v1", "kind": "Viewed",
                "metadata": {"name": "a", "namespace": "default"}, "text": text,
            });
            definitions[0].check(&*kinds[0].decode_value(object).unwrap(), None, false)
        };
        write("a").unwrap();
        match write("aaaaaaaaaaaaaaaaaaaa-31-") {
            Err(Error::Invalid { causes, .. }) => {
                assert!(causes.len() == 1 && causes[0].message.contains("failed rule"), "{causes:?}");
            }
            other => panic!("the last rule is run: {other:?}"),
        }
    }

    #[tokio::test]
    async fn many_objects_are_made_anew_without_keeping_others_from_their_turn() {
        let version = |name: &str, storage: bool| {
            let size = json!({"type": "integer", "default": 1});
            let schema = json!({"type": "object", "properties": {"size": size}});
            json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": schema}})
        };
        let (kinds, definitions) = defined(&json!([version("v1", true), version("v2", false)]));
        let text = r#"{"apiVersion":"example.com/v1","kind":"Viewed","metadata":{"name":"a"},"old":true}"#;
        // Which version asks, whether the objects are newer than its schema, and how often it lets others go.
        for (asks, newer, expect) in [(0, false, 2), (0, true, 0), (1, true, 2)] {
            let since = if newer { 1001 } else { 1 };
            let cold = |at: u64| Arc::new(Stored::cold(kinds[0], since + at, text.into()));
            let mut all: Vec<_> = (0..600).map(cold).collect();
            let mut turns = 0;
            {
                let mut viewing = Box::pin(definitions[asks].view_all(&mut all));
                while futures::poll!(&mut viewing).is_pending() {
                    turns += 1;
                }
            }
            assert_eq!(turns, expect, "v{} of newer: {newer}", asks + 1);
            let last: Value = serde_json::from_slice(&all[599].json()).unwrap();
            assert_eq!(last["apiVersion"], format!("example.com/v{}", asks + 1));
            assert_eq!(last["size"] == 1 && last["old"].is_null(), expect > 0, "{last}");
            // Who watches shares what is made, and nothing is made of what is as it should be.
            let change = cold(0);
            let [one, other] = [(); 2].map(|()| definitions[asks].view_change(&change).unwrap());
            assert!(Arc::ptr_eq(&one, &other));
            assert_eq!(Arc::ptr_eq(&one, &change), expect == 0);
        }
    }
}
