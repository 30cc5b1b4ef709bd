//! The state of the API: one order of all writes, an index of what there is, and the recent changes.
//!
//! ```text
//!   put, remove ──► lock: compare ─► journal.append (version) ─► index ─► ring ─► wake watchers
//!                                         │ later, on the journal's thread
//!                                         └─► Stored::encode ─► disk ─► durable(version)
//!   get  ──► cache of typed objects, else bytes from the journal
//!   page ──► index ─► bytes; what changed meanwhile is put back from the ring
//!   follow ─► ring, from a version on
//! ```
//!
//! In memory of an idle object are its key, version, labels, owner and uid; its bytes live in the journal.
//! No I/O is done under the lock.

mod cache;
pub(crate) mod facts;
mod follow;
mod journal;
mod key;
mod page;
mod ring;
mod selection;
mod shelf;
pub(crate) mod stored;
mod uid;

use std::{collections::HashMap, sync::Arc};

use objects::{ChangeKind, Error};
use parking_lot::{Mutex, MutexGuard};
use resources::{DynObject, Kind, ObjectKey, kinds, meta::ObjectMeta};
use storage::objects::{Durability, Op, Value};

use self::{
    cache::Cache,
    facts::{Facts, Interner},
    ring::{Change, RingLimits},
    shelf::{Entry, Shelf},
};
pub(crate) use self::{
    follow::{Follower, Seen},
    journal::{Found, Journal},
    page::{From, Page, PageOptions, Place},
    selection::Selection,
    stored::Stored,
};
use crate::limits::Limits;

/// The state. See the module's description.
pub(crate) struct Store {
    journal: Journal,
    state: Mutex<State>,
}

struct State {
    /// The version of the newest write.
    version: u64,
    /// Versions above the first and below the second were given out and lost in a crash.
    lost: (u64, u64),
    kinds: HashMap<&'static Kind, Shelf>,
    cache: Cache,
    names: Interner,
    ring_limits: RingLimits,
}

/// Why a write did not get a place in the order.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The object is not what the writer read: read again.
    Raced,
    /// A new object's namespace is not there.
    NamespaceMissing,
    /// A new object's namespace is on its way out.
    NamespaceTerminating,
    /// The journal takes no writes.
    Journal(Error),
}

/// A write: the object, and the metadata it gets. Its version is set when it has its place.
pub(crate) struct Write {
    pub(crate) object: Arc<dyn DynObject>,
    pub(crate) metadata: ObjectMeta,
    /// What the writer read; `None` for a new object.
    pub(crate) before: Option<Arc<Stored>>,
    pub(crate) durability: Durability,
    /// About how long the object's JSON is.
    pub(crate) size_hint: usize,
}

impl Store {
    /// Reads what the journal has. Blocks on I/O.
    pub(crate) fn open(journal: Journal, found: &Found, limits: &Limits) -> Result<Self, Error> {
        let ring_limits = RingLimits {
            changes_max: limits.changes_per_kind_max,
            bytes_max: limits.change_bytes_per_kind_max,
            hot_max: limits.typed_changes_per_kind_max,
        };
        let mut state = State {
            version: found.last_durable,
            lost: (found.last_durable, found.next),
            kinds: HashMap::new(),
            cache: Cache::new(limits.typed_objects_max),
            names: Interner::new(),
            ring_limits,
        };
        for &kind in kinds::all() {
            state.load(kind, &journal)?;
        }
        Ok(Self { journal, state: Mutex::new(state) })
    }

    /// The version of the newest write.
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits until a write and all before it are on disk.
    pub(crate) async fn durable(&self, version: u64) -> Result<(), Error> {
        self.journal.durable(version).await
    }

    /// Reads an object; its typed form stays in memory for a while.
    pub(crate) fn get(&self, kind: &'static Kind, key: &ObjectKey) -> Result<Option<Arc<Stored>>, Error> {
        {
            let mut state = self.lock();
            if state.shelf(kind).get(key).is_none() {
                return Ok(None);
            }
            if let Some(stored) = state.cache.get(kind, key) {
                return Ok(Some(stored));
            }
        }
        let Some(stored) = self.read(kind, key)? else { return Ok(None) };
        let mut state = self.lock();
        if state.shelf(kind).get(key).is_some_and(|entry| entry.version == stored.version) {
            state.cache.insert(key, Arc::clone(&stored));
        }
        Ok(Some(stored))
    }

    /// Whether a write would get its place.
    pub(crate) fn check(&self, write: &Write) -> Result<(), Refused> {
        self.lock().check(write.object.kind(), &ObjectKey::of(&write.metadata), write.before.as_ref())
    }

    /// Writes an object.
    pub(crate) fn put(&self, write: Write) -> Result<Arc<Stored>, Refused> {
        let kind = write.object.kind();
        let key = ObjectKey::of(&write.metadata);
        let mut state = self.lock();
        state.check(kind, &key, write.before.as_ref())?;
        let mut metadata = write.metadata;
        let mut made = None;
        let op = |version: u64| {
            metadata.resource_version = Some(version.to_string());
            let object = write.object.with_metadata(std::mem::take(&mut metadata));
            let stored = Arc::new(Stored::hot(version, object, write.size_hint));
            made = Some(Arc::clone(&stored));
            Op::Put(stored as Value)
        };
        self.journal.append(&key::disk_key(kind, &key), write.durability, op).map_err(Refused::Journal)?;
        let stored = made.expect("an append that succeeds has made its value");
        state.placed(kind, key, write.before, Arc::clone(&stored))?;
        Ok(stored)
    }

    /// Takes an object away. Returns its last state, under the version of the delete.
    pub(crate) fn remove(&self, write: Write) -> Result<Arc<Stored>, Refused> {
        let kind = write.object.kind();
        let key = ObjectKey::of(&write.metadata);
        let mut state = self.lock();
        state.check(kind, &key, write.before.as_ref())?;
        let version = self
            .journal
            .append(&key::disk_key(kind, &key), write.durability, |_| Op::Delete)
            .map_err(Refused::Journal)?;
        let mut metadata = write.metadata;
        metadata.resource_version = Some(version.to_string());
        let last = Arc::new(Stored::hot(version, write.object.with_metadata(metadata), write.size_hint));
        state.removed(kind, key, write.before, Arc::clone(&last))?;
        Ok(last)
    }

    /// `Ok` while the journal takes writes.
    pub(crate) fn health(&self) -> storage::Result<()> {
        self.journal.health()
    }

    /// Writes what is queued and releases the directory. Blocks.
    pub(crate) fn close(&self) -> storage::Result<()> {
        self.journal.close()
    }

    fn read(&self, kind: &'static Kind, key: &ObjectKey) -> Result<Option<Arc<Stored>>, Error> {
        let found = self.journal.get(&key::disk_key(kind, key))?;
        Ok(found.map(|(version, json)| Arc::new(Stored::cold(kind, version, json))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn load(&mut self, kind: &'static Kind, journal: &Journal) -> Result<(), Error> {
        let mut shelf = Shelf::new(self.version, self.ring_limits);
        let prefix = key::prefix(kind);
        for disk_key in journal.keys(&prefix) {
            let (Some(key), Some((version, json))) =
                (key::object_key(&prefix, &disk_key), journal.get(&disk_key)?)
            else {
                continue;
            };
            let facts = Facts::read(kind, &json, &mut self.names).map_err(|error| {
                Error::Internal(format!("what is stored under {disk_key} cannot be read: {error}"))
            })?;
            shelf.insert(&key, Entry { version, facts });
        }
        self.kinds.insert(kind, shelf);
        Ok(())
    }

    fn shelf(&mut self, kind: &'static Kind) -> &mut Shelf {
        let (version, limits) = (self.version, self.ring_limits);
        self.kinds.entry(kind).or_insert_with(|| Shelf::new(version, limits))
    }

    /// Whether a version was given out and is still known.
    fn check_version(&self, version: u64) -> Result<(), Error> {
        let (kept, next) = self.lost;
        if version > kept && version < next {
            return Err(Error::Expired(format!("too old resource version: {version} was lost in a crash")));
        }
        if version > self.version {
            let current = self.version;
            return Err(Error::Unavailable(format!(
                "Too large resource version: {version}, current: {current}"
            )));
        }
        Ok(())
    }

    fn check(
        &mut self,
        kind: &'static Kind,
        key: &ObjectKey,
        before: Option<&Arc<Stored>>,
    ) -> Result<(), Refused> {
        let found = self.shelf(kind).get(key).map(|entry| entry.version);
        if found != before.map(|before| before.version) {
            return Err(Refused::Raced);
        }
        if found.is_some() || !kind.namespaced {
            return Ok(());
        }
        let namespaces = self.shelf(<resources::builtin::Namespace as resources::Object>::kind());
        match namespaces.get(&ObjectKey::cluster(key.namespace.clone())) {
            None => Err(Refused::NamespaceMissing),
            Some(namespace) if namespace.facts.deleting => Err(Refused::NamespaceTerminating),
            Some(_) => Ok(()),
        }
    }

    fn placed(
        &mut self,
        kind: &'static Kind,
        key: ObjectKey,
        before: Option<Arc<Stored>>,
        stored: Arc<Stored>,
    ) -> Result<(), Refused> {
        let object = stored.object().map_err(Refused::Journal)?;
        let facts = Facts::of(&*object, &mut self.names);
        let entry = Entry { version: stored.version, facts: facts.clone() };
        let (key, replaced) = self.shelf(kind).insert(&key, entry);
        self.cache.insert(&key, Arc::clone(&stored));
        let change = if replaced.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.tell(kind, key, change, before.zip(replaced), stored, facts);
        Ok(())
    }

    fn removed(
        &mut self,
        kind: &'static Kind,
        key: ObjectKey,
        before: Option<Arc<Stored>>,
        last: Arc<Stored>,
    ) -> Result<(), Refused> {
        let object = last.object().map_err(Refused::Journal)?;
        let facts = Facts::of(&*object, &mut self.names);
        let removed = self.shelf(kind).remove(&key);
        self.cache.remove(kind, &key);
        let Some((key, replaced)) = removed else { return Ok(()) };
        self.tell(kind, key, ChangeKind::Deleted, before.map(|before| (before, replaced)), last, facts);
        Ok(())
    }

    fn tell(
        &mut self,
        kind: &'static Kind,
        key: Arc<ObjectKey>,
        change: ChangeKind,
        before: Option<(Arc<Stored>, Entry)>,
        stored: Arc<Stored>,
        facts: Facts,
    ) {
        let version = stored.version;
        self.version = version;
        let before = before.map(|(stored, entry)| ring::State { stored, facts: entry.facts });
        let shelf = self.shelf(kind);
        let after = ring::State { stored, facts };
        shelf.ring.push(Change { version, kind: change, key, before, after });
        shelf.news.send_replace(version);
    }
}
