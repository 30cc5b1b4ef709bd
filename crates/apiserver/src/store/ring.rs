//! The recent changes of one kind, for those who watch it.
//!
//! What some watcher has still to see stays, typed, up to the limits; of what all have seen stays a little, as JSON,
//! for those who come back after a broken connection and for lists that are read in pages.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use objects::ChangeKind;

use super::{key::Key, shelf::Entry, stored::Stored};

/// One change of one object.
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    /// The object before; `None` when it is new.
    pub(crate) before: Option<State>,
    /// The object after; for a delete its last state, under the delete's version.
    pub(crate) after: State,
}

/// An object and what selectors ask of it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) stored: Arc<Stored>,
    pub(crate) entry: Arc<Entry>,
}

/// How much of the past a kind keeps. Bytes are of JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingLimits {
    /// At most, for watchers that are behind.
    pub(crate) changes_max: usize,
    pub(crate) bytes_max: usize,
    /// When every watcher has seen them.
    pub(crate) seen_changes_max: usize,
    pub(crate) seen_bytes_max: usize,
    /// Changes with their typed objects, for watchers that are behind.
    pub(crate) typed_max: usize,
    /// The same when every watcher has seen them: by then the disk has had its JSON of nearly all.
    pub(crate) seen_typed_max: usize,
}

/// Names a watcher of the ring.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WatcherId(u64);

/// The changes of a kind in their order, the oldest dropped when there are too many.
pub(crate) struct Ring {
    limits: RingLimits,
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// The version after which every change is here.
    floor: u64,
    /// So many of the oldest have been told to let their typed objects go.
    cooled: usize,
    /// Up to where each watcher has seen everything.
    watchers: HashMap<WatcherId, u64>,
    watchers_ever: u64,
}

impl Ring {
    pub(crate) fn new(floor: u64, limits: RingLimits) -> Self {
        let (changes, watchers) = (VecDeque::new(), HashMap::new());
        Self { limits, changes, bytes: 0, floor, cooled: 0, watchers, watchers_ever: 0 }
    }

    /// Adds the newest change.
    pub(super) fn push(&mut self, change: Change) {
        self.bytes += change.cost();
        self.changes.push_back(Arc::new(change));
    }

    /// Drops what nobody needs. Returns the changes whose typed objects may go, each once: letting them go may take
    /// encoding them, which is not done under a lock.
    pub(super) fn trim(&mut self) -> Vec<Arc<Change>> {
        let limits = self.limits;
        while self.exceeds(limits.changes_max, limits.bytes_max) {
            self.drop_oldest();
        }
        let most_unseen = limits.typed_max.max(limits.seen_typed_max);
        let some_cool = self.changes.len() > self.cooled + limits.seen_typed_max;
        if !some_cool && !self.exceeds(limits.seen_changes_max, limits.seen_bytes_max) {
            return Vec::new();
        }
        let seen = self.watchers.values().copied().min().unwrap_or(u64::MAX);
        let is_seen = |change: Option<&Arc<Change>>| change.is_some_and(|change| change.version() <= seen);
        while self.exceeds(limits.seen_changes_max, limits.seen_bytes_max) && is_seen(self.changes.front()) {
            self.drop_oldest();
        }
        let mut cooling = Vec::new();
        while self.changes.len() > self.cooled + limits.seen_typed_max
            && (self.changes.len() > self.cooled + most_unseen || is_seen(self.changes.get(self.cooled)))
        {
            cooling.push(Arc::clone(&self.changes[self.cooled]));
            self.cooled += 1;
        }
        cooling
    }

    /// The changes after a version, oldest first; `None` when some of them are gone.
    pub(crate) fn after(&self, version: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        (version >= self.floor).then(|| {
            let at = self.changes.partition_point(|change| change.version() <= version);
            self.changes.range(at..)
        })
    }

    /// A new watcher, which has seen everything up to a version.
    pub(super) fn join(&mut self, version: u64) -> WatcherId {
        self.watchers_ever += 1;
        let watcher = WatcherId(self.watchers_ever);
        self.watchers.insert(watcher, version);
        watcher
    }

    /// A watcher has seen everything up to a version.
    pub(super) fn seen(&mut self, watcher: WatcherId, version: u64) {
        self.watchers.insert(watcher, version);
    }

    /// A watcher is gone.
    pub(super) fn leave(&mut self, watcher: WatcherId) {
        self.watchers.remove(&watcher);
    }

    /// Whether there are more changes or bytes; one change alone is never too many.
    fn exceeds(&self, changes: usize, bytes: usize) -> bool {
        self.changes.len() > changes || (self.bytes > bytes && self.changes.len() > 1)
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.changes.pop_front() {
            self.bytes -= oldest.cost();
            self.floor = oldest.version();
            self.cooled = self.cooled.saturating_sub(1);
        }
    }
}

impl Change {
    pub(crate) fn key(&self) -> &Key {
        &self.after.entry.key
    }

    pub(crate) fn version(&self) -> u64 {
        self.after.stored.version
    }

    /// Bytes that the ring counts for it; fixed when it is made, so that what goes in also comes out.
    fn cost(&self) -> usize {
        self.after.stored.cost()
    }
}

#[cfg(test)]
mod tests;
