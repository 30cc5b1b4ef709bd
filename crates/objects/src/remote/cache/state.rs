//! A kind's objects and how they change. Pure: it waits for nothing and asks nobody.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    sync::Arc,
};

use resources::{DynObject, ObjectKey, meta::ObjectMeta};

use super::{
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
    own: OwnWrites,
    ring: Ring,
    /// The version up to which the watch has told everything.
    seen: u64,
    closed: bool,
}

impl State {
    pub(super) fn new(items: Vec<Arc<dyn DynObject>>, version: u64, changes_max: usize) -> Self {
        let objects = items.into_iter().map(|object| (ObjectKey::of(object.metadata()), object)).collect();
        Self {
            objects,
            own: OwnWrites::default(),
            ring: Ring::new(version, changes_max),
            seen: version,
            closed: false,
        }
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
        &self,
        options: &ListOptions,
        after: Option<&ObjectKey>,
    ) -> (Vec<Arc<dyn DynObject>>, u64) {
        let max = if options.limit == 0 { usize::MAX } else { options.limit.saturating_add(1) };
        let told = self.range(options.namespace.as_deref(), after);
        let told = told.filter(|(key, _)| !matches!(self.own.get(key), Some(Own::Written(_) | Own::Gone(_))));
        let mut found: Vec<_> =
            told.filter(|(_, object)| options.matches(object.metadata())).take(max).collect();
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

    fn range<'a>(
        &'a self,
        namespace: Option<&'a str>,
        after: Option<&ObjectKey>,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<dyn DynObject>)> {
        let first = namespace.map(|namespace| ObjectKey::new(namespace, ""));
        let start = match after.max(first.as_ref()) {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Unbounded,
        };
        let objects = self.objects.range((start, Bound::Unbounded));
        objects.take_while(move |(key, _)| namespace.is_none_or(|namespace| namespace == key.namespace))
    }

    /// The watch has told a change; `at` is its version.
    pub(super) fn apply(&mut self, change: ChangeKind, object: Arc<dyn DynObject>, at: u64) {
        let key = ObjectKey::of(object.metadata());
        self.seen = self.seen.max(at);
        let (at, gone) = (self.seen, change == ChangeKind::Deleted);
        self.own.told(&key, &*object, gone, at);
        let before =
            if gone { self.objects.remove(&key) } else { self.objects.insert(key, Arc::clone(&object)) };
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
