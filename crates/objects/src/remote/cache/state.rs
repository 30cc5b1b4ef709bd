//! A kind's objects and how they change. Pure: it waits for nothing and asks nobody.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    sync::Arc,
};

use resources::{DynObject, ObjectKey, meta::ObjectMeta};

use super::{
    index::Index,
    own::{Own, OwnWrites},
    ring::{Change, Ring, at_version},
};
use crate::{
    ChangeKind, ListOptions,
    remote::decode::{Page, version},
};

/// What is known of one object.
pub(in crate::remote) enum Read {
    Found(Arc<dyn DynObject>),
    Absent,
    /// The server has to be asked.
    InDoubt,
}

/// A kind as one client knows it.
pub(super) struct State {
    /// What the watch has told.
    objects: BTreeMap<ObjectKey, Arc<dyn DynObject>>,
    index: Index,
    own: OwnWrites,
    ring: Ring,
    /// The version up to which the watch has told everything.
    seen: u64,
    closed: bool,
}

impl State {
    pub(super) fn new(items: Vec<Arc<dyn DynObject>>, version: u64, changes_max: usize) -> Self {
        let (mut objects, mut index) = (BTreeMap::new(), Index::default());
        for object in items {
            let key = ObjectKey::of(object.metadata());
            index.add(&key, object.metadata());
            objects.insert(key, object);
        }
        let (own, ring) = (OwnWrites::default(), Ring::new(version, changes_max));
        Self { objects, index, own, ring, seen: version, closed: false }
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Read {
        match self.own.get(key) {
            Some(Own::Written(object)) => Read::Found(Arc::clone(object)),
            Some(Own::Gone(_)) => Read::Absent,
            Some(Own::InDoubt) => Read::InDoubt,
            None => self.objects.get(key).map_or(Read::Absent, |object| Read::Found(Arc::clone(object))),
        }
    }

    /// The objects that match, one more than the limit if there are so many, and the version they are of.
    ///
    /// Own writes are in them already; who follows from this version is told them again.
    pub(super) fn list(
        &mut self,
        options: &ListOptions,
        after: Option<&ObjectKey>,
    ) -> (Vec<Arc<dyn DynObject>>, u64) {
        self.index.learn(options, self.objects.iter().map(|(key, object)| (key, object.metadata())));
        let max = if options.limit == 0 { usize::MAX } else { options.limit.saturating_add(1) };
        let mut found = self.told(options, after, max);
        let own = self
            .own
            .written()
            .filter(|(key, object)| after < Some(key) && options.matches(object.metadata()));
        let before = found.len();
        found.extend(own);
        if found.len() > before {
            found.sort_unstable_by_key(|(key, _)| *key);
            found.truncate(max);
        }
        (found.into_iter().map(|(_, object)| Arc::clone(object)).collect(), self.seen)
    }

    /// What the watch has told and own writes have not overtaken.
    fn told(
        &self,
        options: &ListOptions,
        after: Option<&ObjectKey>,
        max: usize,
    ) -> Vec<(&ObjectKey, &Arc<dyn DynObject>)> {
        let namespace = options.namespace.as_deref();
        let first = namespace.map(|namespace| ObjectKey::new(namespace, ""));
        let start = after.max(first.as_ref()).map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
        let range = (start, Bound::Unbounded);
        let here = |key: &ObjectKey| namespace.is_none_or(|namespace| namespace == key.namespace);
        let matches = |(key, object): &(&ObjectKey, &Arc<dyn DynObject>)| {
            !matches!(self.own.get(key), Some(Own::Written(_) | Own::Gone(_)))
                && options.matches(object.metadata())
        };
        match self.index.candidates(options) {
            Some(keys) => {
                let keys = keys.range(range).take_while(|key| here(key));
                keys.filter_map(|key| self.objects.get_key_value(key)).filter(matches).take(max).collect()
            }
            None => {
                let objects = self.objects.range(range).take_while(|(key, _)| here(key));
                objects.filter(matches).take(max).collect()
            }
        }
    }

    /// The watch has told a change; `at` is its version.
    pub(super) fn apply(&mut self, change: ChangeKind, object: Arc<dyn DynObject>, at: u64) {
        let key = ObjectKey::of(object.metadata());
        self.seen = self.seen.max(at);
        let (at, gone) = (self.seen, change == ChangeKind::Deleted);
        self.own.told(&key, &*object, gone, at);
        let before = self.objects.remove(&key);
        if let Some(before) = &before {
            self.index.remove(&key, before.metadata());
        }
        if !gone {
            self.index.add(&key, object.metadata());
            self.objects.insert(key, Arc::clone(&object));
        }
        let before = match before {
            // A delete that nobody told, in a gap: the name belongs to another object now.
            Some(other) if uid(other.metadata()) != uid(object.metadata()) && !gone => {
                let object = at_version(&other, at);
                self.ring.push(Change { version: at, before: Some(other), object, gone: true });
                None
            }
            before => before,
        };
        if before.is_some() || !gone {
            self.ring.push(Change { version: at, before, object, gone });
        }
    }

    pub(super) fn bookmark(&mut self, version: u64) {
        self.seen = self.seen.max(version);
        self.own.told_all(self.seen);
    }

    /// Everything that is there now; what differs from what the watch had told becomes changes.
    pub(super) fn bridge(&mut self, page: Page) {
        let listed: HashSet<_> = page.items.iter().map(|object| ObjectKey::of(object.metadata())).collect();
        let lost = |key: &&ObjectKey| !listed.contains(*key) && !page.unreadable.contains(*key);
        let lost: Vec<_> = self.objects.keys().filter(lost).cloned().collect();
        for key in lost {
            let last = at_version(&self.objects[&key], page.version);
            self.apply(ChangeKind::Deleted, last, page.version);
        }
        for object in page.items {
            let known = self.objects.get(&ObjectKey::of(object.metadata()));
            if known.is_none_or(|known| version(&**known) != version(&*object)) {
                self.apply(ChangeKind::Modified, object, page.version);
            }
        }
        self.seen = self.seen.max(page.version);
        let objects = &self.objects;
        self.own.listed(page.version, |key, id| {
            objects.get(key).is_some_and(|object| uid(object.metadata()) == id)
        });
    }

    /// Whether the watch has told of the object and not of its end.
    pub(super) fn has_told(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    pub(super) fn wrote(&mut self, key: ObjectKey, object: &Arc<dyn DynObject>) {
        let metadata = object.metadata();
        let held = metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
        if metadata.deletion_timestamp.is_some() && !held {
            // The last finalizer may have gone with this write, and the object with it; servers then answer with an
            // old version.
            self.own.set(key, Own::InDoubt);
        } else if version(&**object) > self.seen {
            self.own.set(key, Own::Written(Arc::clone(object)));
        }
    }

    pub(super) fn deleted(&mut self, key: &ObjectKey, id: &str) {
        let known = match self.get(key) {
            Read::Found(object) => uid(object.metadata()) == id,
            // Only the watch's word for its end would ever remove the note, so there must be one to come.
            Read::InDoubt => self.objects.get(key).is_some_and(|object| uid(object.metadata()) == id),
            Read::Absent => false,
        };
        if known {
            self.own.set(key.clone(), Own::Gone(id.to_owned()));
        }
    }

    /// The server contradicts what is known of an object. `version` is what the caller went by; what is newer by now is
    /// not in doubt.
    pub(super) fn doubt(&mut self, key: ObjectKey, went_by: Option<u64>) {
        let newer = match (self.get(&key), went_by) {
            (Read::Found(object), Some(went_by)) => version(&*object) > went_by,
            _ => false,
        };
        if !newer {
            self.own.set(key, Own::InDoubt);
        }
    }

    /// The server's answer about an object in doubt.
    pub(super) fn learn(&mut self, key: &ObjectKey, answer: Option<&Arc<dyn DynObject>>) {
        if !matches!(self.own.get(key), Some(Own::InDoubt)) {
            return;
        }
        match (answer, self.objects.get(key)) {
            (Some(object), _) if version(&**object) > self.seen => {
                self.own.set(key.clone(), Own::Written(Arc::clone(object)));
            }
            (None, Some(told)) => {
                let id = uid(told.metadata()).to_owned();
                self.own.set(key.clone(), Own::Gone(id));
            }
            _ => self.own.forget(key),
        }
    }
}

fn uid(metadata: &ObjectMeta) -> &str {
    metadata.uid.as_deref().unwrap_or_default()
}
