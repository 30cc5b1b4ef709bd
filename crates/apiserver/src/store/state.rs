//! What is in memory of the state: an index and the recent changes of each kind, under one lock. No I/O is done here, but
//! for reading everything once at the start.

use std::{collections::HashMap, sync::Arc};

use objects::{ChangeKind, Error};
use resources::{
    Kind, Object, ObjectKey,
    custom::{self, CustomResourceDefinition},
    downcast,
};

use super::{
    Found, Journal, Key, Refused, Stored,
    cache::Cache,
    facts::Facts,
    key,
    lease::{LeaseLimits, Leases},
    load::{self, Loaded},
    pairs::Interner,
    ring::{self, Change, RingLimits},
    shelf::{Entry, Shelf},
};
use crate::limits::Limits;

/// What is in memory of the state.
pub(super) struct State {
    /// The version of the newest write.
    pub(super) version: u64,
    /// Versions above the first and below the second were given out and lost in a crash.
    pub(super) lost: (u64, u64),
    pub(super) kinds: HashMap<&'static Kind, Shelf>,
    pub(super) cache: Cache,
    pub(super) names: Interner,
    pub(super) ring_limits: RingLimits,
    pub(super) leases: Leases,
}

impl State {
    /// What is known before anything of the journal has been read.
    pub(super) fn new(found: &Found, limits: &Limits) -> Self {
        let ring_limits = RingLimits {
            changes_max: limits.changes_per_kind_max,
            bytes_max: limits.change_bytes_per_kind_max,
            seen_changes_max: limits.seen_changes_per_kind_max,
            seen_bytes_max: limits.seen_change_bytes_per_kind_max,
            typed_max: limits.typed_changes_per_kind_max,
            seen_typed_max: limits.seen_typed_changes_per_kind_max,
        };
        let lease_limits = LeaseLimits {
            lasts: limits.lease,
            shared_for: limits.lease_shared_for,
            per_kind_max: limits.leases_per_kind_max,
        };
        Self {
            version: found.last_durable,
            lost: (found.last_durable, found.next),
            kinds: HashMap::new(),
            cache: Cache::new(limits.typed_objects_max, limits.typed_bytes_max),
            names: Interner::new(),
            ring_limits,
            leases: Leases::new(lease_limits),
        }
    }

    pub(super) fn load(&mut self, kind: &'static Kind, journal: &Journal) -> Result<(), Error> {
        let mut shelf = Shelf::new(self.version, self.ring_limits);
        let mut entries = Vec::new();
        load::load(kind, journal, |loaded, all| {
            entries.reserve_exact(if entries.is_empty() { all } else { 0 });
            entries.extend(loaded.into_iter().map(|Loaded { key, version, glance }| {
                let facts = Facts::seen(&glance, &mut self.names);
                Arc::new(Entry { key, version, facts })
            }));
        })?;
        shelf.fill(entries);
        self.kinds.insert(kind, shelf);
        Ok(())
    }

    /// The kinds that the definitions that are stored define.
    pub(super) fn defined(&mut self, journal: &Journal) -> Result<Vec<&'static Kind>, Error> {
        let definitions = <CustomResourceDefinition as Object>::kind();
        let mut kinds = Vec::new();
        for disk_key in journal.keys(&key::prefix(definitions)) {
            let Some((version, json)) = journal.get(&disk_key)? else { continue };
            let crd =
                downcast::<CustomResourceDefinition>(Stored::cold(definitions, version, json).object()?);
            // Ebb's own kinds have their shelves: a second one would hold the same objects.
            let crd = crd.filter(|crd| !custom::is_built_in(crd));
            kinds.extend(crd.and_then(|crd| custom::hub(&crd)));
        }
        Ok(kinds)
    }

    pub(super) fn shelf(&mut self, kind: &'static Kind) -> &mut Shelf {
        let (version, limits) = (self.version, self.ring_limits);
        self.kinds.entry(kind.hub()).or_insert_with(|| Shelf::new(version, limits))
    }

    /// Whether a version was given out and is still known.
    pub(super) fn check_version(&self, version: u64) -> Result<(), Error> {
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

    pub(super) fn check(
        &mut self,
        kind: &'static Kind,
        key: &Key,
        before: Option<&Arc<Stored>>,
    ) -> Result<(), Refused> {
        let found = self.shelf(kind).get(key).map(|entry| entry.version);
        if found != before.map(|before| before.version) {
            return Err(Refused::Raced);
        }
        if found.is_some() { Ok(()) } else { self.check_home(kind, key) }
    }

    /// Whether there may be a new object: its namespace and its kind are there, and stay.
    pub(super) fn check_home(&mut self, kind: &'static Kind, key: &Key) -> Result<(), Refused> {
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
    pub(super) fn placed(
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
    pub(super) fn removed(
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
    pub(super) fn trim(&mut self, kind: &'static Kind) -> Vec<Arc<Stored>> {
        let cooling = self.shelf(kind).ring.trim();
        let states = cooling.iter().flat_map(|change| change.before.iter().chain([&change.after]));
        let unused = states.filter(|state| !self.cache.keeps(&state.entry.key, &state.stored));
        let mut cooling: Vec<_> = unused.map(|state| Arc::clone(&state.stored)).collect();
        cooling.append(&mut self.cache.take_evicted());
        cooling
    }
}
