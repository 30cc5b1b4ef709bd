//! The rules of writing: what happens to an object between a caller's wish and the store, whoever the caller is.
//!
//! ```text
//!   create ─► metadata (name, uid, time) ─► strategy (first state) ─► admission ─► store
//!   update ─► read ─► caller's change ─► metadata, status, generation ─► admission ─► store, again when overtaken
//!   delete ─► preconditions ─► grace, propagation, finalizers ─► mark or remove
//! ```
//!
//! Both the REST face and the in-process client write through it; neither has rules of its own.

mod addresses;
mod admission;
mod create;
mod definitions;
mod delete;
mod embedded;
mod fields;
mod finalizers;
mod grace;
mod metadata;
mod provided;
mod scale;
mod service_account;
mod strategy;
mod update;

use std::sync::Arc;

use objects::Error;
use resources::{DynObject, Kind, ObjectKey};
use storage::objects::Durability;

use self::addresses::Claim;
pub use self::addresses::ServiceRange;
pub(crate) use self::{
    addresses::Addresses,
    definitions::clean_up,
    delete::Deleted,
    fields::{apart, ebb_manages},
    scale::{replicas, with_replicas},
    update::{Target, overtaken},
};
use crate::{
    apply::{Managed, Manager},
    configs::Keeper,
    environment::Environment,
    limits::Limits,
    served::Kinds,
    store::{Refused, Store, Stored, Write},
};

/// The rules of writing, and the store they write to.
pub(crate) struct Registry {
    pub(crate) store: Arc<Store>,
    pub(crate) configs: Keeper,
    pub(crate) addresses: Addresses,
    pub(crate) kinds: Kinds,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
}

/// Who writes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) user: &'a str,
    pub(crate) origin: Origin,
    /// Who is noted as the manager of the fields that change; `None` for Ebb itself.
    pub(crate) manager: Option<Manager>,
    /// Whether it may give a pod its node.
    pub(crate) binds: bool,
    /// Check everything, change nothing.
    pub(crate) dry_run: bool,
    /// How long the body was that says what is wanted.
    pub(crate) body_bytes: usize,
}

/// An object that a caller wants stored.
pub(crate) struct Wanted {
    pub(crate) object: Arc<dyn DynObject>,
    /// About how long its JSON is, in bytes.
    pub(crate) size_hint: usize,
    /// Who manages its fields, if it comes of an apply, which knows, or is Ebb's own.
    pub(crate) applied: Option<Managed>,
}

impl Wanted {
    /// An object whose JSON is about this long, in bytes.
    pub(crate) fn new(object: Arc<dyn DynObject>, size_hint: usize) -> Self {
        Self { object, size_hint, applied: None }
    }

    /// An object that nobody has seen as JSON.
    pub(crate) fn typed(object: Arc<dyn DynObject>) -> Self {
        Self::new(object, crate::store::stored::SIZE_HINT)
    }
}

/// Where a write comes from, which decides what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client that may act on the answer: it gets one when the write is on disk.
    Network,
    /// A part of Ebb: it does not wait for what can be derived again.
    InProcess,
    /// The first objects of all, which are made again if they are lost.
    Bootstrap,
}

impl Caller<'static> {
    /// Ebb itself, by the in-process client.
    pub(crate) fn in_process() -> Self {
        Self {
            user: "system:ebb",
            origin: Origin::InProcess,
            manager: None,
            binds: true,
            dry_run: false,
            body_bytes: 0,
        }
    }

    /// Ebb itself, making what is there from the start.
    pub(crate) fn bootstrap() -> Self {
        Self { origin: Origin::Bootstrap, ..Self::in_process() }
    }
}

impl Caller<'_> {
    /// How much JSON a write is about, where the object has so much already. What Ebb writes itself is never long.
    fn work_bytes(&self, object_bytes: usize) -> usize {
        match self.origin {
            Origin::Network => self.body_bytes.max(object_bytes),
            Origin::InProcess | Origin::Bootstrap => 0,
        }
    }

    /// How soon a write must be on disk. `derived`: whether the part that is written can be derived again, though the
    /// kind as a whole cannot.
    fn durability(&self, kind: &Kind, derived: bool) -> Durability {
        match self.origin {
            Origin::Bootstrap => Durability::Soon,
            Origin::InProcess if kind.derived || derived => Durability::Soon,
            Origin::InProcess | Origin::Network => Durability::Wait,
        }
    }
}

impl Registry {
    /// How much work a write is, as bytes of JSON. Rules of users can take a while, whatever the object.
    fn work_bytes(&self, kind: &'static Kind, caller: &Caller<'_>, object_bytes: usize) -> usize {
        let definition = self.kinds.definition(kind).ok().flatten();
        definition.map_or(0, |definition| definition.work_bytes()).max(caller.work_bytes(object_bytes))
    }

    /// Reads one object.
    pub(crate) fn get(&self, kind: &'static Kind, key: &ObjectKey) -> Result<Arc<Stored>, Error> {
        Ok(self.read(kind, key)?.1)
    }

    /// Reads one object to change it: as it is stored, which is what a write replaces, and as one of the kind.
    fn read(&self, kind: &'static Kind, key: &ObjectKey) -> Result<(Arc<Stored>, Arc<Stored>), Error> {
        let stored = self.store.get(kind, key)?;
        let stored = stored.ok_or_else(|| Error::NotFound { kind, name: key.name.clone() })?;
        Ok((Arc::clone(&stored), self.view(kind, stored)?))
    }

    /// Writes over an object, which keeps what it claims, or removes it; `None` when another writer was faster.
    async fn commit(
        &self,
        write: Write,
        claim: Option<Claim<'_>>,
        gone: bool,
    ) -> Result<Option<Arc<Stored>>, Error> {
        let durability = write.durability;
        let written = if gone { self.store.remove(write) } else { self.store.put(write) };
        match written {
            Ok(stored) => {
                // Before anything is waited for: a caller that goes away takes nothing back.
                claim.into_iter().for_each(Claim::keep);
                if gone {
                    self.configs.forget(&stored);
                    self.addresses.give_back(&*stored.object()?);
                    self.undefined(&stored)?;
                }
                self.written(&stored, durability).await?;
                Ok(Some(stored))
            }
            Err(Refused::Journal(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// About how long an object's JSON is when it is stored. `hint`: how long it is taken for before it has been encoded.
    ///
    /// # Errors
    /// `TooLarge` for one that a request makes too long, or makes longer though it is too long already. What Ebb writes
    /// itself is derived from such objects, and the journal has room for what it adds.
    fn check_size(
        &self,
        object: &dyn DynObject,
        before: Option<&Stored>,
        hint: usize,
        caller: &Caller<'_>,
    ) -> Result<usize, Error> {
        if caller.origin != Origin::Network {
            return Ok(hint);
        }
        let (bytes, max) = (object.to_json().len(), self.limits.object_bytes_max);
        if bytes > max && before.is_none_or(|before| bytes > before.json().len()) {
            let message =
                format!("Request entity too large: the object has {bytes} bytes, and the limit is {max}");
            return Err(Error::TooLarge(message));
        }
        Ok(bytes)
    }

    /// What every write ends with: what depends on it at once learns of it, and its caller waits for the disk.
    async fn written(&self, stored: &Arc<Stored>, durability: Durability) -> Result<(), Error> {
        self.configs.observe(stored);
        self.defined(stored)?;
        match durability {
            Durability::Wait => self.store.durable(stored.version).await,
            Durability::Soon => Ok(()),
        }
    }
}

/// The object that a dry run answers with: as it would be, without a version.
fn dry_run_result(object: Arc<dyn DynObject>) -> Arc<Stored> {
    Arc::new(Stored::hot(0, object, crate::store::stored::SIZE_HINT))
}
