//! The state of the API: one order of all writes, an index of what there is, and the recent changes.
//!
//! ```text
//!   put, remove ──► lock: compare ─► journal.append (version) ─► index ─► ring ─► wake watchers
//!                                         │ later, on the journal's thread
//!                                         └─► Stored::encode ─► disk ─► durable(version)
//!   get  ──► cache of typed objects, else bytes from the journal
//!   page ──► index ─► bytes; what changed meanwhile is put back from the ring
//!   follow ─► ring, from a version on
//!   open ──► keys ─► several threads: bytes, a glance at each (load) ─► index
//! ```
//!
//! In memory of an idle object are its key, version, labels, owner and uid; its bytes live in the journal.
//! No I/O is done under the lock.

mod cache;
mod facts;
mod follow;
mod journal;
mod key;
mod lease;
mod load;
mod page;
pub(crate) mod pairs;
mod ring;
mod selectable;
mod selection;
mod shelf;
mod state;
pub(crate) mod stored;
mod uid;

use std::sync::Arc;

use objects::Error;
use parking_lot::{Mutex, MutexGuard};
use resources::{DynObject, Kind, ObjectKey, kinds, meta::ObjectMeta};
use storage::objects::{Durability, Op, Value};

pub(crate) use self::{
    follow::{Follower, Seen},
    journal::{Found, Journal, chain},
    key::Key,
    page::{Page, PageOptions, Place, Start},
    selection::Selection,
    stored::Stored,
};
use self::{state::State, stored::cool_all};
use crate::limits::Limits;

/// The state. See the module's description.
pub(crate) struct Store {
    journal: Journal,
    state: Mutex<State>,
    /// Objects are looked through for fields one kind at a time.
    preparing: tokio::sync::Mutex<()>,
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
    /// What defines a new object's kind is gone.
    KindMissing,
    /// What defines a new object's kind is on its way out.
    KindTerminating,
    /// The journal takes no writes.
    Journal(Error),
}

/// A write: the object, and the metadata it gets. Its version is set when it has its place.
pub(crate) struct Write {
    pub(crate) object: Arc<dyn DynObject>,
    pub(crate) metadata: ObjectMeta,
    /// What the writer read, as it is stored and not as a version of it shows it; `None` for a new object.
    pub(crate) before: Option<Arc<Stored>>,
    pub(crate) durability: Durability,
    /// About how long the object's JSON is.
    pub(crate) size_hint: usize,
}

impl Write {
    fn key(&self) -> Key {
        Key::of(self.object.kind(), &ObjectKey::of(&self.metadata))
    }
}

impl Store {
    /// Reads what the journal has. Blocks on I/O.
    pub(crate) fn open(journal: Journal, found: &Found, limits: &Limits) -> Result<Self, Error> {
        let mut state = State::new(found, limits);
        for &kind in kinds::all() {
            state.load(kind, &journal)?;
        }
        for kind in state.defined(&journal)? {
            state.load(kind, &journal)?;
        }
        Ok(Self { journal, state: Mutex::new(state), preparing: tokio::sync::Mutex::default() })
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
        let mut state = self.lock();
        let Some(entry) = state.shelf(kind).get(&Key::of(kind, key)) else { return Ok(None) };
        let key = entry.key.clone();
        let mut found = state.cache.get(&key);
        if found.is_none() {
            drop(state);
            found = self.read(kind, &key)?;
            state = self.lock();
            if let Some(stored) = &found
                && state.shelf(kind).get(&key).is_some_and(|entry| entry.version == stored.version)
            {
                state.cache.insert(&key, Arc::clone(stored));
            }
        }
        let evicted = state.cache.take_evicted();
        drop(state);
        cool_all(&evicted);
        Ok(found)
    }

    /// Whether there is no object of a kind.
    pub(crate) fn is_empty(&self, kind: &'static Kind) -> bool {
        self.lock().shelf(kind).is_empty()
    }

    /// Whether there may be a new object: its namespace and its kind are there, and stay.
    pub(crate) fn check_home(&self, kind: &'static Kind, key: &ObjectKey) -> Result<(), Refused> {
        // Its name has not been looked at yet, and may have what no name has.
        self.lock().check_home(kind, &Key::of(kind, &ObjectKey::new(key.namespace.as_str(), "")))
    }

    /// Whether a write would get its place.
    pub(crate) fn check(&self, write: &Write) -> Result<(), Refused> {
        self.lock().check(write.object.kind(), &write.key(), write.before.as_ref())
    }

    /// Writes an object.
    pub(crate) fn put(&self, write: Write) -> Result<Arc<Stored>, Refused> {
        let (kind, key) = (write.object.kind(), write.key());
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
        self.journal.append(key.text(), write.durability, op).map_err(Refused::Journal)?;
        let stored = made.expect("an append that succeeds has made its value");
        let cooling = state.placed(kind, key, write.before, Arc::clone(&stored))?;
        drop(state);
        cool_all(&cooling);
        Ok(stored)
    }

    /// Takes an object away. Returns its last state, under the version of the delete.
    pub(crate) fn remove(&self, write: Write) -> Result<Arc<Stored>, Refused> {
        let (kind, key) = (write.object.kind(), write.key());
        let mut state = self.lock();
        state.check(kind, &key, write.before.as_ref())?;
        let version =
            self.journal.append(key.text(), write.durability, |_| Op::Delete).map_err(Refused::Journal)?;
        let mut metadata = write.metadata;
        metadata.resource_version = Some(version.to_string());
        let last = Arc::new(Stored::hot(version, write.object.with_metadata(metadata), write.size_hint));
        let cooling = state.removed(kind, key, write.before, Arc::clone(&last))?;
        drop(state);
        cool_all(&cooling);
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

    fn read(&self, kind: &'static Kind, key: &Key) -> Result<Option<Arc<Stored>>, Error> {
        let found = self.journal.get(key.text())?;
        Ok(found.map(|(version, json)| Arc::new(Stored::cold(kind.original(), version, json))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
