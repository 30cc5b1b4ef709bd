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
mod facts;
mod follow;
mod journal;
mod key;
mod page;
pub(crate) mod pairs;
mod ring;
mod selectable;
mod selection;
mod shelf;
pub(crate) mod stored;
mod uid;

use std::{collections::HashMap, sync::Arc};

use objects::{ChangeKind, Error};
use parking_lot::{Mutex, MutexGuard};
use resources::{
    DynObject, Kind, Object, ObjectKey,
    custom::{self, CustomResourceDefinition},
    downcast, kinds,
    meta::ObjectMeta,
};
use storage::objects::{Durability, Op, Value};

use self::{
    cache::Cache,
    facts::Facts,
    pairs::Interner,
    ring::{Change, RingLimits},
    shelf::{Entry, Shelf},
};
pub(crate) use self::{
    follow::{Follower, Seen},
    journal::{Found, Journal},
    key::Key,
    page::{From, Page, PageOptions, Place},
    selection::Selection,
    stored::Stored,
};
use crate::limits::Limits;

/// The state. See the module's description.
pub(crate) struct Store {
    journal: Journal,
    state: Mutex<State>,
    /// Objects are looked through for fields one kind at a time.
    preparing: tokio::sync::Mutex<()>,
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
        let ring_limits = RingLimits {
            changes_max: limits.changes_per_kind_max,
            bytes_max: limits.change_bytes_per_kind_max,
            seen_changes_max: limits.seen_changes_per_kind_max,
            seen_bytes_max: limits.seen_change_bytes_per_kind_max,
            typed_max: limits.typed_changes_per_kind_max,
            seen_typed_max: limits.seen_typed_changes_per_kind_max,
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
        let key = {
            let mut state = self.lock();
            let Some(entry) = state.shelf(kind).get(&Key::of(kind, key)) else { return Ok(None) };
            let key = entry.key.clone();
            if let Some(stored) = state.cache.get(&key) {
                return Ok(Some(stored));
            }
            key
        };
        let Some(stored) = self.read(kind, &key)? else { return Ok(None) };
        let mut state = self.lock();
        if state.shelf(kind).get(&key).is_some_and(|entry| entry.version == stored.version) {
            state.cache.insert(&key, Arc::clone(&stored));
        }
        Ok(Some(stored))
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
        cooling.iter().for_each(|stored| stored.cool());
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
        cooling.iter().for_each(|stored| stored.cool());
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
            let found = journal.get(&disk_key)?;
            let (Some(key), Some((version, json))) = (Key::found(&prefix, disk_key), found) else { continue };
            let facts = Facts::read(kind, &json, &mut self.names).map_err(|error| {
                Error::Internal(format!("what is stored under {key:?} cannot be read: {error}"))
            })?;
            shelf.insert(Entry { key, version, facts });
        }
        self.kinds.insert(kind, shelf);
        Ok(())
    }

    /// The kinds that the definitions that are stored define.
    fn defined(&mut self, journal: &Journal) -> Result<Vec<&'static Kind>, Error> {
        let definitions = <CustomResourceDefinition as Object>::kind();
        let mut kinds = Vec::new();
        for disk_key in journal.keys(&key::prefix(definitions)) {
            let Some((version, json)) = journal.get(&disk_key)? else { continue };
            let crd =
                downcast::<CustomResourceDefinition>(Stored::cold(definitions, version, json).object()?);
            // Ebb's own kinds have their shelves: a second one would hold the same objects.
            let crd = crd.filter(|crd| !custom::is_built_in(crd));
            let hub = crd.map(|crd| custom::hub(&crd)).transpose();
            kinds.extend(hub.map_err(|error| Error::Internal(error.to_string()))?.flatten());
        }
        Ok(kinds)
    }

    fn shelf(&mut self, kind: &'static Kind) -> &mut Shelf {
        let (version, limits) = (self.version, self.ring_limits);
        self.kinds.entry(kind.hub()).or_insert_with(|| Shelf::new(version, limits))
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

    fn check(&mut self, kind: &'static Kind, key: &Key, before: Option<&Arc<Stored>>) -> Result<(), Refused> {
        let found = self.shelf(kind).get(key).map(|entry| entry.version);
        if found != before.map(|before| before.version) {
            return Err(Refused::Raced);
        }
        if found.is_some() { Ok(()) } else { self.check_home(kind, key) }
    }

    fn check_home(&mut self, kind: &'static Kind, key: &Key) -> Result<(), Refused> {
        self.check_kind(kind)?;
        if !kind.namespaced {
            return Ok(());
        }
        let namespaces = <resources::builtin::Namespace as resources::Object>::kind();
        let namespace = Key::of(namespaces, &ObjectKey::cluster(key.namespace()));
        match self.shelf(namespaces).get(&namespace) {
            None => Err(Refused::NamespaceMissing),
            Some(namespace) if namespace.facts.deleting => Err(Refused::NamespaceTerminating),
            Some(_) => Ok(()),
        }
    }

    /// Whether there may be a new object of a kind. Asked where writes have their order: from when its definition is
    /// marked no object comes any more, so that who finds none left knows that none will be.
    fn check_kind(&mut self, kind: &'static Kind) -> Result<(), Refused> {
        if !kind.is_defined() {
            return Ok(());
        }
        let definitions = <CustomResourceDefinition as Object>::kind();
        let name = Key::of(definitions, &ObjectKey::cluster(kind.resource()));
        match self.shelf(definitions).get(&name) {
            None => Err(Refused::KindMissing),
            Some(definition) if definition.facts.deleting => Err(Refused::KindTerminating),
            Some(_) => Ok(()),
        }
    }

    /// Takes a written object in. Returns states whose typed form is to go, outside of the lock.
    fn placed(
        &mut self,
        kind: &'static Kind,
        key: Key,
        before: Option<Arc<Stored>>,
        stored: Arc<Stored>,
    ) -> Result<Vec<Arc<Stored>>, Refused> {
        let object = stored.object().map_err(Refused::Journal)?;
        let fields = self.shelf(kind).selectable.fields();
        let facts = Facts::with(&*object, &fields, &mut self.names);
        let (entry, replaced) = self.shelf(kind).insert(Entry { key, version: stored.version, facts });
        self.cache.insert(&entry.key, Arc::clone(&stored));
        let change = if replaced.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        Ok(self.tell(kind, change, before.zip(replaced), (stored, entry)))
    }

    /// As [`State::placed`], of an object that is gone.
    fn removed(
        &mut self,
        kind: &'static Kind,
        key: Key,
        before: Option<Arc<Stored>>,
        last: Arc<Stored>,
    ) -> Result<Vec<Arc<Stored>>, Refused> {
        let object = last.object().map_err(Refused::Journal)?;
        let fields = self.shelf(kind).selectable.fields();
        let facts = Facts::with(&*object, &fields, &mut self.names);
        self.cache.remove(&key);
        let Some(replaced) = self.shelf(kind).remove(&key) else { return Ok(Vec::new()) };
        let entry = Arc::new(Entry { key: replaced.key.clone(), version: last.version, facts });
        Ok(self.tell(kind, ChangeKind::Deleted, before.zip(Some(replaced)), (last, entry)))
    }

    fn tell(
        &mut self,
        kind: &'static Kind,
        change: ChangeKind,
        before: Option<(Arc<Stored>, Arc<Entry>)>,
        after: (Arc<Stored>, Arc<Entry>),
    ) -> Vec<Arc<Stored>> {
        let version = after.0.version;
        self.version = version;
        let state = |(stored, entry)| ring::State { stored, entry };
        let shelf = self.shelf(kind);
        shelf.ring.push(Change { kind: change, before: before.map(state), after: state(after) });
        shelf.news.send_replace(version);
        self.trim(kind)
    }

    /// Drops recent changes that nobody needs. Returns states whose typed form is to go, outside of the lock.
    fn trim(&mut self, kind: &'static Kind) -> Vec<Arc<Stored>> {
        let cooling = self.shelf(kind).ring.trim();
        let states = cooling.iter().flat_map(|change| change.before.iter().chain([&change.after]));
        let unused = states.filter(|state| !self.cache.keeps(&state.entry.key, &state.stored));
        unused.map(|state| Arc::clone(&state.stored)).collect()
    }
}
