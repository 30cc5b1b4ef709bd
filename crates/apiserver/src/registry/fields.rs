//! Who manages the fields of an object that is written: every write from outside is noted in `managedFields`.
//!
//! What Ebb itself creates is noted of nobody, and neither are the statuses it writes: they would cost more than the
//! objects themselves, and nobody applies to them. The first apply to such an object notes what was there before it.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use resources::{DynObject, Kind};
use serde_json::Value;

use super::{Caller, Registry, strategy, update::Target};
use crate::{
    apply::{self, Managed, Manager, Operation},
    schema::Root,
    store::Stored,
};

/// What Ebb is called where it changes the spec of a user's object.
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

impl Registry {
    /// The schema of a kind.
    fn root(&self, kind: &'static Kind) -> Root {
        let definition = self.kinds.definition(kind).ok().flatten();
        Root::of(kind, definition.as_deref())
    }

    /// A new object with its creator, who gave `given`, as the manager of all it has.
    pub(super) fn first_managed(
        &self,
        object: Arc<dyn DynObject>,
        given: &dyn DynObject,
        caller: &Caller<'_>,
    ) -> Arc<dyn DynObject> {
        let Some(manager) = &caller.manager else { return object };
        let mut managed = Managed::default();
        let made = object.to_value();
        let nothing = strategy::of_itself(given, &made);
        let root = self.root(object.kind());
        apply::update(&mut managed, &nothing, &made, root.place(), manager, self.chance.now());
        with_managers(object, managed)
    }

    /// An object that takes the place of another, with its managers. `wish`: what its writer has in `managedFields`.
    pub(super) fn managed(
        &self,
        before: &Stored,
        object: Arc<dyn DynObject>,
        wish: Option<&[ManagedFieldsEntry]>,
        target: Target,
        caller: &Caller<'_>,
    ) -> Arc<dyn DynObject> {
        let is_managed = object.metadata().managed_fields.is_some();
        let ebb = || Manager {
            name: EBB.to_owned(),
            operation: Operation::Update,
            api_version: object.kind().api_version(),
            subresource: String::new(),
        };
        let manager = match &caller.manager {
            _ if target == Target::Finalize => return object,
            Some(manager) => manager.clone(),
            None if is_managed && target != Target::Status => ebb(),
            None => return object,
        };
        let wish = wish.filter(|entries| !entries.is_empty());
        if wish.is_some_and(|entries| *entries == [ManagedFieldsEntry::default()]) {
            // This is how clients say that nobody shall manage it.
            return with_managers(object, Managed::default());
        }
        let (before, present) = apart(&before.json());
        let wish = wish.and_then(|entries| Managed::read(entries).ok());
        let mut managed = wish.unwrap_or(present);
        if !managed.is_empty() {
            let root = self.root(object.kind());
            let (after, _) = apart(&object.to_json());
            apply::update(&mut managed, &before, &after, root.place(), &manager, self.chance.now());
        }
        with_managers(object, managed)
    }
}

/// The object with these managers.
pub(super) fn with_managers(object: Arc<dyn DynObject>, managed: Managed) -> Arc<dyn DynObject> {
    let mut metadata = object.metadata().clone();
    metadata.managed_fields = managed.write();
    object.with_metadata(metadata)
}

/// An object that was applied; the present one, if nothing but the time of that is new. Which fields changed is known
/// only now: what the configuration leaves out and admission fills in was taken for a change before.
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
