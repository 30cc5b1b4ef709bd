//! One kind's index and recent changes.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use resources::ObjectKey;
use tokio::sync::watch;

use super::{
    facts::{Facts, value},
    ring::{Ring, RingLimits, State},
    selection::Selection,
    uid::Uid,
};

/// What is kept in memory of one kind.
pub(super) struct Shelf {
    index: BTreeMap<Arc<ObjectKey>, Entry>,
    owned: HashMap<Uid, Keys>,
    /// By key and value of the labels that somebody has selected by. At most [`LABELS_MAX`] keys.
    labelled: HashMap<Arc<str>, HashMap<Arc<str>, Keys>>,
    pub(super) ring: Ring,
    /// Tells the watchers the version of the newest change.
    pub(super) news: watch::Sender<u64>,
}

/// What is kept in memory of one object.
pub(super) struct Entry {
    pub(super) version: u64,
    pub(super) facts: Facts,
}

/// Keys in order; mostly very few.
type Keys = Vec<Arc<ObjectKey>>;

/// How many label keys a kind is indexed by. Selectors by others look at every object.
const LABELS_MAX: usize = 16;

impl Shelf {
    pub(super) fn new(floor: u64, limits: RingLimits) -> Self {
        Self {
            index: BTreeMap::new(),
            owned: HashMap::new(),
            labelled: HashMap::new(),
            ring: Ring::new(floor, limits),
            news: watch::Sender::new(floor),
        }
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Entry> {
        self.index.get(key)
    }

    /// Puts an entry in place of the one that was there, which is returned with the key.
    pub(super) fn insert(&mut self, key: &ObjectKey, entry: Entry) -> (Arc<ObjectKey>, Option<Entry>) {
        let known = self.index.get_key_value(key).map(|(key, _)| Arc::clone(key));
        let key = known.unwrap_or_else(|| Arc::new(key.clone()));
        let facts = entry.facts.clone();
        let replaced = self.index.insert(Arc::clone(&key), entry);
        let before = replaced.as_ref().map(|replaced| &replaced.facts);
        if before.is_none_or(|before| before.owners != facts.owners || before.labels != facts.labels) {
            if let Some(before) = before {
                self.unlist(&key, before);
            }
            self.list(&key, &facts);
        }
        (key, replaced)
    }

    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<(Arc<ObjectKey>, Entry)> {
        let (key, entry) = self.index.remove_entry(key)?;
        self.unlist(&key, &entry.facts);
        Some((key, entry))
    }

    /// The objects that changed after a version, as they were at it (`None`: not there). `None` when that is too
    /// long ago.
    pub(super) fn before(&self, version: u64) -> Option<BTreeMap<Arc<ObjectKey>, Option<State>>> {
        let mut before = BTreeMap::new();
        for change in self.ring.after(version)? {
            before.entry(Arc::clone(&change.key)).or_insert_with(|| change.before.clone());
        }
        Some(before)
    }

    /// Makes the index that a selection wants, if there is none and there may be one more.
    pub(super) fn prepare(&mut self, selection: &Selection) {
        let Some((label, _)) = selection.labels.exact().filter(|_| selection.owner.is_none()) else { return };
        if self.labelled.contains_key(label) || self.labelled.len() >= LABELS_MAX {
            return;
        }
        let mut values: HashMap<Arc<str>, Keys> = HashMap::new();
        for (key, entry) in &self.index {
            if let Some((_, value)) = entry.facts.labels.iter().find(|(name, _)| **name == *label) {
                values.entry(Arc::clone(value)).or_default().push(Arc::clone(key));
            }
        }
        self.labelled.insert(label.into(), values);
    }

    /// The objects that a selection means, in order of their keys from `from` on.
    pub(super) fn select<'a>(
        &'a self,
        selection: &'a Selection,
        from: Bound<ObjectKey>,
    ) -> impl Iterator<Item = (&'a Arc<ObjectKey>, &'a Entry)> {
        let few = match (selection.owner, selection.labels.exact()) {
            (Some(owner), _) => Some(self.owned.get(&owner).map(Vec::as_slice).unwrap_or_default()),
            (None, Some((label, value))) => self
                .labelled
                .get(label)
                .map(|values| values.get(value).map(Vec::as_slice).unwrap_or_default()),
            (None, None) => None,
        };
        let start = few.map(|keys| {
            keys.partition_point(|key| match &from {
                Bound::Included(first) => **key < *first,
                Bound::Excluded(last) => **key <= *last,
                Bound::Unbounded => false,
            })
        });
        let listed = few
            .zip(start)
            .map(|(keys, start)| keys[start..].iter().filter_map(|key| self.index.get_key_value(key)));
        let ranged = few.is_none().then(|| self.index.range::<ObjectKey, _>((from, Bound::Unbounded)));
        let all = listed.into_iter().flatten().chain(ranged.into_iter().flatten());
        all.take_while(|(key, _)| {
            selection.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
        })
        .filter(|(key, entry)| selection.matches(key, &entry.facts))
    }

    fn list(&mut self, key: &Arc<ObjectKey>, facts: &Facts) {
        for owner in &facts.owners {
            add(self.owned.entry(*owner).or_default(), key);
        }
        for (label, values) in &mut self.labelled {
            if let Some((_, value)) = facts.labels.iter().find(|(name, _)| name == label) {
                add(values.entry(Arc::clone(value)).or_default(), key);
            }
        }
    }

    fn unlist(&mut self, key: &ObjectKey, facts: &Facts) {
        for owner in &facts.owners {
            drop_from(&mut self.owned, owner, key);
        }
        for (label, values) in &mut self.labelled {
            if let Some(value) = value(&facts.labels, label) {
                drop_from(values, value, key);
            }
        }
    }
}

fn add(keys: &mut Keys, key: &Arc<ObjectKey>) {
    if let Err(at) = keys.binary_search(key) {
        keys.insert(at, Arc::clone(key));
    }
}

fn drop_from<K, Q>(lists: &mut HashMap<K, Keys>, name: &Q, key: &ObjectKey)
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    let Some(keys) = lists.get_mut(name) else { return };
    if let Ok(at) = keys.binary_search_by(|found| (**found).cmp(key)) {
        keys.remove(at);
    }
    if keys.is_empty() {
        lists.remove(name);
    }
}

#[cfg(test)]
mod tests;
