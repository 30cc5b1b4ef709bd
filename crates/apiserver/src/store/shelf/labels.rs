//! Objects by their labels, for the labels that are selected by.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Entry;
use crate::store::{
    key::Key,
    pairs::{Pair, find},
};

/// How many label keys a kind is indexed by. Selectors by others look at every object.
const INDEXES_MAX: usize = 16;
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
    used: u64,
}

impl Labels {
    /// Notes that the objects with a label are selected, and makes an index for it if that is worth it.
    pub(super) fn wish<'a>(&mut self, label: &str, entries: impl Iterator<Item = &'a Entry>) {
        self.now += 1;
        if let Some(index) = self.indexes.get_mut(label) {
            index.used = self.now;
            return;
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
        let keys = entries.filter_map(|entry| {
            find(&entry.facts.labels, label).map(|pair| (pair.clone(), entry.key.clone()))
        });
        self.indexes.insert(label.into(), Index { keys: keys.collect(), used: self.now });
    }

    /// The objects with a label by its value, if there is an index for it.
    pub(super) fn get(&self, label: &str) -> Option<&BTreeSet<(Pair, Key)>> {
        self.indexes.get(label).map(|index| &index.keys)
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
