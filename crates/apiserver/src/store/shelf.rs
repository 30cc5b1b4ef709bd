//! One kind's index and recent changes.

mod labels;

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use tokio::sync::watch;

use self::labels::Labels;
use super::{
    facts::Facts,
    key::Key,
    pairs::Pair,
    ring::{Ring, RingLimits, State},
    selectable::Selectable,
    selection::Selection,
    uid::Uid,
};

/// What is kept in memory of one kind. Every step costs the logarithm of how many objects there are.
pub(super) struct Shelf {
    index: BTreeSet<Indexed>,
    owned: BTreeSet<(Uid, Key)>,
    labels: Labels,
    pub(super) ring: Ring,
    pub(super) selectable: Selectable,
    /// Tells the watchers the version of the newest change.
    pub(super) news: watch::Sender<u64>,
}

/// What is kept in memory of one version of one object.
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) version: u64,
    pub(crate) facts: Facts,
}

/// An entry as it is found: by its key.
struct Indexed(Arc<Entry>);

impl Shelf {
    pub(super) fn new(floor: u64, limits: RingLimits) -> Self {
        Self {
            index: BTreeSet::new(),
            owned: BTreeSet::new(),
            labels: Labels::default(),
            ring: Ring::new(floor, limits),
            selectable: Selectable::default(),
            news: watch::Sender::new(floor),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Entry>> {
        self.index.get(key).map(|found| &found.0)
    }

    /// The entries after a key.
    pub(super) fn after(&self, key: Key) -> impl Iterator<Item = &Arc<Entry>> {
        self.index.range::<Key, _>((Bound::Excluded(key), Bound::Unbounded)).map(|found| &found.0)
    }

    /// Puts all entries into an empty shelf, in any order: far quicker than one by one.
    pub(super) fn fill(&mut self, entries: Vec<Arc<Entry>>) {
        let owned = |entry: &Arc<Entry>| {
            let key = entry.key.clone();
            entry.facts.owners.clone().into_iter().map(move |owner| (owner, key.clone()))
        };
        self.owned = entries.iter().flat_map(owned).collect();
        self.index = entries.into_iter().map(Indexed).collect();
    }

    /// Puts an entry in place of the one that was there, and returns both. The text of the key stays the first one's.
    pub(super) fn insert(&mut self, mut entry: Entry) -> (Arc<Entry>, Option<Arc<Entry>>) {
        if let Some(known) = self.get(&entry.key) {
            entry.key = known.key.clone();
        }
        let entry = Arc::new(entry);
        let replaced = self.index.replace(Indexed(Arc::clone(&entry))).map(|replaced| replaced.0);
        let indexed_alike = |before: &Arc<Entry>| {
            before.facts.owners == entry.facts.owners && before.facts.labels == entry.facts.labels
        };
        if !replaced.as_ref().is_some_and(indexed_alike) {
            if let Some(before) = &replaced {
                self.remove_from_indexes(before);
            }
            self.add_to_indexes(&entry);
        }
        (entry, replaced)
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Entry>> {
        let Indexed(entry) = self.index.take(key)?;
        self.remove_from_indexes(&entry);
        Some(entry)
    }

    /// The objects that changed after a version, as they were at it (`None`: not there). `None` when that is too
    /// long ago.
    pub(super) fn before(&self, version: u64) -> Option<BTreeMap<Key, Option<State>>> {
        let mut before = BTreeMap::new();
        for change in self.ring.after(version)? {
            before.entry(change.key().clone()).or_insert_with(|| change.before.clone());
        }
        Some(before)
    }

    /// Makes the index that a selection wants, if it is worth it, or goes on with it.
    pub(super) fn prepare(&mut self, selection: &Selection) {
        let Some((label, _)) = selection.labels.exact().filter(|_| selection.owner.is_none()) else { return };
        let after = |key: Key| {
            let after = self.index.range::<Key, _>((Bound::Excluded(key), Bound::Unbounded));
            after.map(|Indexed(entry)| &**entry)
        };
        self.labels.wish(label, after);
    }

    /// The objects that a selection means, in order of their keys from `from` on.
    pub(super) fn select<'a>(
        &'a self,
        selection: &'a Selection,
        from: Bound<Key>,
    ) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.candidates(selection, from).filter(|entry| selection.matches(entry))
    }

    /// The objects that a selection may mean, as far as the indexes tell, in order of their keys from `from` on.
    pub(super) fn candidates<'a>(
        &'a self,
        selection: &'a Selection,
        from: Bound<Key>,
    ) -> impl Iterator<Item = &'a Arc<Entry>> {
        let owned = selection.owner.map(|owner| keys_under(&self.owned, owner, &from));
        let label = selection.labels.exact().filter(|_| owned.is_none());
        let labelled = label.and_then(|(label, value)| {
            self.labels.get(label).map(|keys| keys_under(keys, Pair::new(label, value), &from))
        });
        let few = owned.is_some() || labelled.is_some();
        let ranged = (!few).then(|| self.index.range::<Key, _>((from, Bound::Unbounded)));
        let indexed = owned.into_iter().flatten().chain(labelled.into_iter().flatten());
        let indexed = indexed.filter_map(|key| self.index.get(key));
        let all = indexed.chain(ranged.into_iter().flatten()).map(|found| &found.0);
        all.take_while(|entry| selection.is_within(&entry.key))
    }

    fn add_to_indexes(&mut self, entry: &Entry) {
        for owner in &entry.facts.owners {
            self.owned.insert((*owner, entry.key.clone()));
        }
        self.labels.add(entry);
    }

    fn remove_from_indexes(&mut self, entry: &Entry) {
        for owner in &entry.facts.owners {
            self.owned.remove(&(*owner, entry.key.clone()));
        }
        self.labels.remove(entry);
    }
}

/// The keys under `name`, from `from` on.
fn keys_under<'a, T: Ord + Clone + 'a>(
    keys: &'a BTreeSet<(T, Key)>,
    name: T,
    from: &Bound<Key>,
) -> impl Iterator<Item = &'a Key> + use<'a, T> {
    let from = match from.clone() {
        Bound::Included(first) => Bound::Included((name.clone(), first)),
        Bound::Excluded(last) => Bound::Excluded((name.clone(), last)),
        Bound::Unbounded => Bound::Included((name.clone(), Key::before_all())),
    };
    keys.range((from, Bound::Unbounded)).take_while(move |(found, _)| *found == name).map(|(_, key)| key)
}

impl Borrow<Key> for Indexed {
    fn borrow(&self) -> &Key {
        &self.0.key
    }
}

impl Ord for Indexed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl PartialOrd for Indexed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Indexed {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Indexed {}

#[cfg(test)]
mod tests;
