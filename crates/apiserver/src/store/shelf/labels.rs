//! Objects by their labels, for the labels that are selected by.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Entry;
use crate::store::{
    key::Key,
    pairs::{Pair, find},
};

/// How many label keys a kind is indexed by. Selectors by others look at every object.
const INDEXES_MAX: usize = 16;
/// Objects that are looked at for an index at once. It is made by those who list, a piece each, so that nobody waits long
/// for the lock.
pub(super) const MADE_AT_ONCE: usize = 4096;
/// How many keys that were selected by once are remembered: with the second time an index is worth its making.
const ASKED_MAX: usize = 16;

/// The indexes of a kind: by the keys that were selected by last.
#[derive(Default)]
pub(super) struct Labels {
    indexes: HashMap<Box<str>, Index>,
    /// Keys without an index, the one that was asked for last at the end.
    asked: VecDeque<Box<str>>,
    /// Counts selections: the time of this place.
    now: u64,
}

struct Index {
    keys: BTreeSet<(Pair, Key)>,
    /// After which key objects have not been looked at since it was begun; `None` when it is whole.
    left: Option<Key>,
    used: u64,
}

impl Labels {
    /// Notes that the objects with a label are selected, and makes some of an index for it if that is worth it. `after`:
    /// the objects after a key.
    pub(super) fn wish<'a, I: Iterator<Item = &'a Entry>>(
        &mut self,
        label: &str,
        after: impl FnOnce(Key) -> I,
    ) {
        self.now += 1;
        if let Some(index) = self.indexes.get_mut(label) {
            index.used = self.now;
            return index.go_on(label, after);
        }
        let Some(at) = self.asked.iter().position(|asked| **asked == *label) else {
            if self.asked.len() >= ASKED_MAX {
                self.asked.pop_front();
            }
            return self.asked.push_back(label.into());
        };
        self.asked.remove(at);
        if self.indexes.len() >= INDEXES_MAX {
            let oldest = self.indexes.iter().min_by_key(|(_, index)| index.used);
            if let Some(oldest) = oldest.map(|(label, _)| label.clone()) {
                self.indexes.remove(&oldest);
            }
        }
        // From now on it has what is written; what is there already is put in piece by piece.
        let mut index = Index { keys: BTreeSet::new(), left: Some(Key::before_all()), used: self.now };
        index.go_on(label, after);
        self.indexes.insert(label.into(), index);
    }

    /// The objects with a label by its value, if there is a whole index for it.
    pub(super) fn get(&self, label: &str) -> Option<&BTreeSet<(Pair, Key)>> {
        self.indexes.get(label).filter(|index| index.left.is_none()).map(|index| &index.keys)
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        for (label, index) in &mut self.indexes {
            if let Some(pair) = find(&entry.facts.labels, label) {
                index.keys.insert((pair.clone(), entry.key.clone()));
            }
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        for (label, index) in &mut self.indexes {
            if let Some(pair) = find(&entry.facts.labels, label) {
                index.keys.remove(&(pair.clone(), entry.key.clone()));
            }
        }
    }
}

impl Index {
    /// Looks at some of the objects that have not been looked at, if any are left.
    fn go_on<'a, I: Iterator<Item = &'a Entry>>(&mut self, label: &str, after: impl FnOnce(Key) -> I) {
        let Some(left) = self.left.take() else { return };
        let mut entries = after(left);
        let mut last = None;
        for entry in entries.by_ref().take(MADE_AT_ONCE) {
            if let Some(pair) = find(&entry.facts.labels, label) {
                self.keys.insert((pair.clone(), entry.key.clone()));
            }
            last = Some(entry);
        }
        let is_whole = entries.next().is_none();
        self.left = last.filter(|_| !is_whole).map(|entry| entry.key.clone());
    }
}
