//! The index: where each key's newest value is. The only thing whose size grows with the number of keys.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use super::{
    hint,
    ledger::Ledger,
    record::Kind,
    value::{Value, Version},
};

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) len: u32,
}

#[derive(Clone)]
pub(super) enum Slot {
    /// Not durable yet: the value itself.
    Queued(Value),
    Written(Place),
}

pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) slot: Slot,
}

/// Keys to entries, with the ledger of the segments that they lie in.
#[derive(Default)]
pub(super) struct Index {
    entries: BTreeMap<Arc<str>, Entry>,
    pub(super) ledger: Ledger,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// A new value, not written yet.
    pub(super) fn queue(&mut self, key: &Arc<str>, version: Version, value: Value) {
        self.set(key, Entry { version, slot: Slot::Queued(value) });
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(Entry { slot: Slot::Written(place), .. }) = self.entries.remove(key) {
            self.ledger.release(place);
        }
    }

    /// The change `version` of `key` is durable at `place`, newly or because compaction has moved it there. Does
    /// nothing to a key that has changed since.
    pub(super) fn written(&mut self, key: &str, version: Version, place: Place) {
        if let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.version == version) {
            if let Slot::Written(old) = std::mem::replace(&mut entry.slot, Slot::Written(place)) {
                self.ledger.release(old);
            }
            self.ledger.take(place);
        }
    }

    /// Whether the value of `key` is the record at `place`.
    pub(super) fn is_at(&self, key: &str, place: Place) -> bool {
        matches!(self.entries.get(key), Some(Entry { slot: Slot::Written(at), .. }) if *at == place)
    }

    /// Takes in a record found at reopening. Records come in the order of the log.
    pub(super) fn restore(&mut self, entry: &hint::Entry<'_>) {
        match entry.kind {
            Kind::Put => {
                self.set(
                    &entry.key.into(),
                    Entry { version: entry.version, slot: Slot::Written(entry.place) },
                );
                self.ledger.take(entry.place);
            }
            Kind::Delete => {
                self.remove(entry.key);
                self.ledger.add_tombstone(entry.place.segment);
            }
        }
    }

    /// Up to `count` keys that begin with `prefix`, after the key `after`.
    pub(super) fn page(&self, prefix: &str, after: Option<&str>, count: usize) -> Vec<(Arc<str>, Version)> {
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        self.entries
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(count)
            .map(|(key, entry)| (key.clone(), entry.version))
            .collect()
    }

    fn set(&mut self, key: &Arc<str>, entry: Entry) {
        // An update keeps the key that was there, which others may share.
        match self.entries.get_mut(key) {
            Some(old) => {
                if let Slot::Written(place) = std::mem::replace(old, entry).slot {
                    self.ledger.release(place);
                }
            }
            None => {
                self.entries.insert(Arc::clone(key), entry);
            }
        }
    }
}

// Tens of thousands of idle objects cost little: an entry is half a cache line.
const _: () = assert!(size_of::<Entry>() <= 32);
