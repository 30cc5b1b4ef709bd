//! Update, of the whole or of a part.

use std::sync::Arc;

use objects::Error;
use resources::{DynObject, Kind, ObjectKey, admission::check_status, meta::ObjectMeta};
use storage::objects::Durability;

use super::{
    Caller, Origin, Registry, Wanted, addresses::Claim, dry_run_result, fields, finalizers, metadata, scale,
    strategy,
};
use crate::{
    apply::Managed,
    aside::aside,
    status,
    store::{Stored, Write},
};

/// The part of an object that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All but the status.
    Object,
    /// The status alone.
    Status,
    /// The finalizers of a namespace's spec.
    Finalize,
}

/// The outcome of an update.
enum Outcome {
    /// The object is unchanged.
    Same,
    Put(Arc<dyn DynObject>),
    /// The object is being deleted, and its last finalizer was removed.
    Remove(Arc<dyn DynObject>),
}

/// A write that is ready for the store.
struct Planned<'a> {
    /// The object in the version that it was written in.
    object: Arc<dyn DynObject>,
    /// The same object in the storage version.
    stored: Arc<dyn DynObject>,
    /// About how long its JSON is.
    bytes: usize,
    /// What it takes of the addresses and ports of Services.
    claim: Option<Claim<'a>>,
    /// Whether it is removed instead of stored.
    gone: bool,
}

impl Registry {
    /// Changes an object; `change` makes the wanted object from the present one and is called again when another
    /// writer was faster.
    ///
    /// A `resourceVersion` in the wanted object must be the present one's.
    pub(crate) async fn update<E: From<Error>>(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        target: Target,
        caller: &Caller<'_>,
        mut change: impl FnMut(&Stored) -> Result<Wanted, E>,
    ) -> Result<Arc<Stored>, E> {
        for _ in 0..self.limits.write_attempts_max {
            let (before, current) = self.read(kind, key)?;
            let planned = aside(self.work_bytes(kind, caller, current.cost()), || {
                let Wanted { object: wanted, size_hint, applied } = change(&current)?;
                let present = current.warm()?;
                let outcome = self.outcome(&current, &present, wanted, applied, target, caller)?;
                let scaled =
                    matches!(&outcome, Outcome::Put(object) if scale::only_scaled(&*present, &**object));
                let derived = target == Target::Status || scaled;
                let (object, gone) = match outcome {
                    Outcome::Same => return Ok((derived, None)),
                    Outcome::Put(object) => (object, false),
                    Outcome::Remove(object) => (object, true),
                };
                let (object, claim) = if target == Target::Object && !gone {
                    self.addresses.claim(object, Some(&*present), &self.environment)?
                } else {
                    (object, None)
                };
                let stored = self.to_stored(Arc::clone(&object))?;
                let bytes = self.check_size(&*stored, Some(&*before), size_hint, caller)?;
                Ok::<_, E>((derived, Some(Planned { object, stored, bytes, claim, gone })))
            });
            let (derived, planned) = planned.await?;
            let durability = caller.durability(kind, derived);
            let Some(Planned { object, stored, bytes: size_hint, claim, gone }) = planned else {
                self.settled(&current, durability).await?;
                return Ok(current);
            };
            if caller.dry_run {
                return Ok(dry_run_result(object));
            }
            drop(object);
            let metadata = stored.metadata().clone();
            let object = stored;
            // Who took the last finalizer away is answered with what they wrote, which has no version of its own.
            let last = gone.then(|| Arc::new(Stored::hot(current.version, Arc::clone(&object), size_hint)));
            let write = Write { object, metadata, before: Some(before), durability, size_hint };
            if let Some(stored) = self.commit(write, claim, gone).await? {
                return Ok(self.view(kind, last.unwrap_or(stored))?);
            }
        }
        Err(overtaken(kind, &key.name).into())
    }

    /// An update that changes nothing still waits until the present state is on disk.
    pub(super) async fn settled(&self, current: &Stored, durability: Durability) -> Result<(), Error> {
        match durability {
            Durability::Wait => self.store.durable(current.version).await,
            Durability::Soon => Ok(()),
        }
    }

    fn outcome(
        &self,
        current: &Stored,
        present: &Arc<dyn DynObject>,
        wanted: Arc<dyn DynObject>,
        applied: Option<Managed>,
        target: Target,
        caller: &Caller<'_>,
    ) -> Result<Outcome, Error> {
        let kind = current.kind;
        let old = present.metadata();
        check_version(kind, old, wanted.metadata())?;
        // Only clients may set managedFields; Ebb's own writers send back what they read.
        let may_wish = target == Target::Object && caller.manager.is_some() && applied.is_none();
        let wish = if may_wish { wanted.metadata().managed_fields.clone() } else { None };
        let object = match target {
            Target::Status => {
                metadata::check_uid(kind, old, wanted.metadata().uid.as_deref())?;
                let given = wanted.metadata().clone();
                // Mostly only the status differs, and the object need not be put together.
                let same = wanted.metadata() == old && kind.same_spec(&**present, &*wanted) == Some(true);
                let object =
                    if same { Some(wanted) } else { kind.with_status(Arc::clone(present), &*wanted) };
                let object = object.ok_or_else(|| {
                    Error::BadRequest(format!("{} have no status of their own", kind.resource()))
                })?;
                if let Some(definition) = self.kinds.definition(kind)? {
                    definition.check(&*object, Some(&**present), true)?;
                }
                if kind.is_builtin() && caller.origin == Origin::Network {
                    self.status_from_outside(present, object, &given)?
                } else {
                    object
                }
            }
            Target::Object | Target::Finalize => {
                let metadata = metadata::of_update(kind, old, wanted.metadata())?;
                finalizers::check(kind, old, &metadata)?;
                let wanted = if kind.subresources.status {
                    kind.with_status(wanted, &**present).ok_or_else(|| mixed_up(kind))?
                } else {
                    wanted
                };
                let wanted = wanted.with_metadata(metadata);
                let free_to_write = target == Target::Finalize || caller.origin != Origin::Network;
                let wanted =
                    if free_to_write { wanted } else { strategy::keep_protected(&**present, wanted) };
                self.admitted(present, wanted, caller)?
            }
        };
        let object = match applied {
            Some(managed) => {
                let known = old.managed_fields.as_ref().map_or(0, Vec::len);
                fields::as_it_was(present, self.with_managers(object, managed, known)?)
            }
            None => self.managed(current, object, wish.as_deref(), target, caller)?,
        };
        Ok(if present.kind().same(&**present, &*object) {
            Outcome::Same
        } else if goes(&*object) {
            Outcome::Remove(object)
        } else {
            Outcome::Put(object)
        })
    }

    /// A status that came with metadata, `given`, of which upstream takes what is not the kind's own.
    fn status_from_outside(
        &self,
        present: &Arc<dyn DynObject>,
        object: Arc<dyn DynObject>,
        given: &ObjectMeta,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let (kind, old) = (object.kind(), present.metadata());
        let mut metadata = metadata::of_update(kind, old, given)?;
        strategy::keep_with_status(kind, old, &mut metadata);
        finalizers::check(kind, old, &metadata)?;
        let object = object.with_metadata(metadata);
        let name = old.name.clone().unwrap_or_default();
        check_status(&*object, &**present)
            .map_err(|rejection| status::from_rejection(kind, name, rejection))?;
        Ok(object)
    }

    /// Admits an object and increases its generation if its spec changed. The comparison is made after defaulting, so
    /// that leaving out a default is no change.
    fn admitted(
        &self,
        present: &Arc<dyn DynObject>,
        wanted: Arc<dyn DynObject>,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let kind = wanted.kind();
        let object = self.admit(wanted, Some(present), caller)?;
        if !strategy::has_generation(kind) {
            return Ok(object);
        }
        let before = present.metadata().generation.unwrap_or_default();
        let same = strategy::is_same_generation(&**present, &*object);
        let generation = if same { before } else { before + 1 };
        if object.metadata().generation == Some(generation) {
            return Ok(object);
        }
        let mut metadata = object.metadata().clone();
        metadata.generation = Some(generation);
        Ok(object.with_metadata(metadata))
    }
}

/// Whether an object is being deleted and nothing holds it any more.
fn goes(object: &dyn DynObject) -> bool {
    let metadata = object.metadata();
    metadata.deletion_timestamp.is_some()
        && metadata.deletion_grace_period_seconds.is_none_or(|seconds| seconds == 0)
        && finalizers::is_free(object)
}

fn check_version(kind: &'static Kind, current: &ObjectMeta, wanted: &ObjectMeta) -> Result<(), Error> {
    match wanted.resource_version.as_deref() {
        None | Some("") => Ok(()),
        Some(_) if wanted.resource_version == current.resource_version => Ok(()),
        Some(_) => Err(overtaken(kind, current.name.as_deref().unwrap_or_default())),
    }
}

fn mixed_up(kind: &'static Kind) -> Error {
    Error::Internal(format!("an object of another kind was written as {kind:?}"))
}

/// The conflict for a writer whose object has been changed by somebody else.
pub(crate) fn overtaken(kind: &'static Kind, name: &str) -> Error {
    let message =
        "the object has been modified; please apply your changes to the latest version and try again";
    Error::Conflict { kind, name: name.to_owned(), message: message.into() }
}
