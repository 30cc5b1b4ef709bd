//! Field management: every write by a client is recorded in `managedFields`.
//!
//! Ebb's own objects and statuses are not recorded: the record would be larger than the objects, and nobody applies to
//! them. The first apply to such an object records what was there before.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use objects::Error;
use resources::{DynObject, Kind, meta::Time};
use serde_json::{Value, json};

use super::{Caller, Registry, metadata, strategy, update::Target};
use crate::{
    apply::{self, Managed, Manager, Operation},
    schema::Root,
    store::Stored,
};

/// The manager's name when Ebb changes the spec of a user's object, and of what it keeps of its own.
const EBB: &str = "ebb";

/// An object's JSON, and its managers apart from it.
pub(crate) fn apart(json: &[u8]) -> (Value, Managed) {
    let mut value: Value = serde_json::from_slice(json).unwrap_or_default();
    let entries =
        value.get_mut("metadata").and_then(Value::as_object_mut).and_then(|it| it.remove("managedFields"));
    let entries: Vec<ManagedFieldsEntry> =
        entries.and_then(|entries| serde_json::from_value(entries).ok()).unwrap_or_default();
    (value, Managed::read(&entries).unwrap_or_default())
}

/// Ebb as the manager of one annotation of an object, and nobody as that of the rest, which so belongs to whoever first
/// applies it: of an object without any manager all would be somebody's. No schema is needed to say so, which takes long
/// to be worked out.
pub(crate) fn ebb_manages(kind: &Kind, annotation: &str, now: Time) -> Managed {
    let annotation = format!("f:{annotation}");
    let entry = ManagedFieldsEntry {
        api_version: Some(kind.api_version()),
        fields_v1: Some(FieldsV1(json!({"f:metadata": {"f:annotations": {annotation: {}}}}))),
        manager: Some(EBB.to_owned()),
        operation: Some("Update".to_owned()),
        time: Some(now),
        ..ManagedFieldsEntry::default()
    };
    Managed::read(&[entry]).expect("the name of a field is one")
}

impl Registry {
    /// The schema of a kind.
    fn root(&self, kind: &'static Kind) -> Root {
        let definition = self.kinds.definition(kind).ok().flatten();
        Root::of(kind, definition.as_deref())
    }

    /// A new object whose creator, who gave `given`, manages all of its fields.
    pub(super) fn first_managed(
        &self,
        object: Arc<dyn DynObject>,
        given: &dyn DynObject,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let Some(manager) = &caller.manager else { return Ok(object) };
        let mut managed = Managed::default();
        let made = object.to_value();
        let nothing = strategy::of_itself(given, &made);
        let root = self.root(object.kind());
        apply::update(&mut managed, &nothing, &made, &root, manager, self.environment.now());
        self.with_managers(object, managed, 0)
    }

    /// An object that replaces another, with its managers. `wish`: the `managedFields` that its writer sent.
    pub(super) fn managed(
        &self,
        before: &Stored,
        object: Arc<dyn DynObject>,
        wish: Option<&[ManagedFieldsEntry]>,
        target: Target,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let is_managed = object.metadata().managed_fields.is_some();
        let ebb = || Manager {
            name: EBB.to_owned(),
            operation: Operation::Update,
            api_version: object.kind().api_version(),
            subresource: String::new(),
        };
        let manager = match &caller.manager {
            _ if target == Target::Finalize => return Ok(object),
            Some(manager) => manager.clone(),
            None if is_managed && target != Target::Status => ebb(),
            None => return Ok(object),
        };
        let wish = wish.filter(|entries| !entries.is_empty());
        if wish.is_some_and(|entries| *entries == [ManagedFieldsEntry::default()]) {
            // One empty entry resets the managers (upstream: apimachinery, managedfields).
            return self.with_managers(object, Managed::default(), 0);
        }
        let (before, present) = apart(&before.json());
        let known = present.len();
        if let Some(entries) = wish {
            self.check_managers(&*object, entries.len(), known)?;
        }
        let wish = wish.and_then(|entries| Managed::read(entries).ok());
        let mut managed = wish.unwrap_or(present);
        if !managed.is_empty() {
            let root = self.root(object.kind());
            let (after, _) = apart(&object.to_json());
            apply::update(&mut managed, &before, &after, &root, &manager, self.environment.now());
        }
        self.with_managers(object, managed, known)
    }

    /// The object with these managers. `known`: how many it has had.
    pub(super) fn with_managers(
        &self,
        object: Arc<dyn DynObject>,
        managed: Managed,
        known: usize,
    ) -> Result<Arc<dyn DynObject>, Error> {
        self.check_managers(&*object, managed.len(), known)?;
        let mut metadata = object.metadata().clone();
        metadata.managed_fields = managed.write();
        Ok(object.with_metadata(metadata))
    }

    /// Limits the managers, each of which makes every write of the object more work. An object that already has more may
    /// keep them.
    fn check_managers(&self, object: &dyn DynObject, managers: usize, known: usize) -> Result<(), Error> {
        let max = self.limits.managers_max;
        if managers <= max.max(known) {
            return Ok(());
        }
        let name = object.metadata().name.clone().unwrap_or_default();
        let why = format!("Too many: {managers}: must have at most {max} items");
        Err(metadata::invalid(object.kind(), name, "metadata.managedFields", "FieldValueTooMany", why))
    }
}

/// An object that was applied; with the managers' old times if nothing else has changed. Only now is that known: before
/// admission filled in the defaults, those that the configuration leaves out looked like changes.
pub(super) fn as_it_was(present: &Arc<dyn DynObject>, object: Arc<dyn DynObject>) -> Arc<dyn DynObject> {
    let untimed = |object: &Arc<dyn DynObject>| {
        let mut entries = object.metadata().managed_fields.clone().unwrap_or_default();
        entries.iter_mut().for_each(|entry| entry.time = None);
        entries
    };
    if untimed(present) != untimed(&object) {
        return object;
    }
    let mut metadata = object.metadata().clone();
    metadata.managed_fields.clone_from(&present.metadata().managed_fields);
    let timed_as_before = Arc::clone(&object).with_metadata(metadata);
    if object.kind().same(&**present, &*timed_as_before) { timed_as_before } else { object }
}

impl Manager {
    /// Who updates an object of the kind.
    pub(crate) fn updater(name: String, kind: &Kind, subresource: Option<&str>) -> Self {
        Self {
            name,
            operation: Operation::Update,
            api_version: kind.api_version(),
            subresource: subresource.unwrap_or_default().to_owned(),
        }
    }
}
