//! The recent changes of one kind, for those who watch it.
//!
//! Changes that some watcher has not seen yet are kept typed, up to the limits; what a lease is for, as JSON. Of those that
//! nobody needs a few are kept as JSON, too: for watchers that reconnect.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
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
    /// When every watcher has seen them, and no lease is for them.
    pub(crate) seen_changes_max: usize,
    pub(crate) seen_bytes_max: usize,
    /// Changes with their typed objects, for watchers that are behind.
    pub(crate) typed_max: usize,
    /// The same when every watcher has seen them: by then the disk has had its JSON of nearly all.
    pub(crate) seen_typed_max: usize,
}

/// A change, and the bytes that the ring counts for it: of the state after it, and of the one before it, unless that is
/// the state after another change that is here.
struct Counted {
    change: Arc<Change>,
    after: usize,
    before: usize,
}

/// Names a watcher of the ring.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WatcherId(u64);

/// The changes of a kind in their order, the oldest dropped when there are too many.
pub(crate) struct Ring {
    limits: RingLimits,
    changes: VecDeque<Counted>,
    bytes: usize,
    /// So many of the oldest are counted with the length of their JSON, which was guessed until it was made.
    measured: usize,
    /// By the versions of the states before changes: the versions of those changes.
    successors: HashMap<u64, u64>,
    /// All changes after this version are here.
    floor: u64,
    /// How many of the oldest changes have already had their typed form dropped.
    cooled: usize,
    /// Up to where each watcher has seen everything.
    watchers: HashMap<WatcherId, u64>,
    /// The same the other way round.
    positions: Places,
    watchers_ever: u64,
    /// After which versions everything is kept, as far as the limits allow.
    leases: Places,
}

/// How many have their place at a version.
#[derive(Default)]
struct Places(BTreeMap<u64, usize>);

impl Ring {
    pub(crate) fn new(floor: u64, limits: RingLimits) -> Self {
        let (changes, watchers) = (VecDeque::new(), HashMap::new());
        let successors = HashMap::new();
        Self {
            limits,
            changes,
            bytes: 0,
            measured: 0,
            successors,
            floor,
            cooled: 0,
            watchers,
            positions: Places::default(),
            watchers_ever: 0,
            leases: Places::default(),
        }
    }

    /// Adds the newest change.
    pub(super) fn push(&mut self, change: Change) {
        let after = change.after.stored.cost();
        let before = match &change.before {
            Some(before) if before.stored.version > self.floor => {
                self.successors.insert(before.stored.version, change.version());
                0
            }
            Some(before) => before.stored.cost(),
            None => 0,
        };
        self.bytes += after + before;
        self.changes.push_back(Counted { change: Arc::new(change), after, before });
        self.measure();
    }

    /// Counts what has been encoded since with its real length. The disk has the changes encoded in their order.
    fn measure(&mut self) {
        while let Some(counted) = self.changes.get_mut(self.measured) {
            let Some(len) = counted.change.after.stored.encoded_len() else { return };
            self.bytes = self.bytes - counted.after + len;
            counted.after = len;
            self.measured += 1;
        }
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
        let seen = self.positions.first();
        let needless = seen.min(self.leases.first());
        let is_up_to = |version: u64, counted: Option<&Counted>| {
            counted.is_some_and(|it| it.change.version() <= version)
        };
        while self.exceeds(limits.seen_changes_max, limits.seen_bytes_max)
            && is_up_to(needless, self.changes.front())
        {
            self.drop_oldest();
        }
        let mut cooling = Vec::new();
        while self.changes.len() > self.cooled + limits.seen_typed_max
            && (self.changes.len() > self.cooled + most_unseen
                || is_up_to(seen, self.changes.get(self.cooled)))
        {
            cooling.push(Arc::clone(&self.changes[self.cooled].change));
            self.cooled += 1;
        }
        cooling
    }

    /// The changes after a version, oldest first; `None` when some of them are gone.
    pub(crate) fn after(&self, version: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        (version >= self.floor)
            .then(|| self.changes.range(self.first_after(version)..).map(|counted| &counted.change))
    }

    fn first_after(&self, version: u64) -> usize {
        self.changes.partition_point(|counted| counted.change.version() <= version)
    }

    /// A new watcher, which has seen everything up to a version.
    pub(super) fn join(&mut self, version: u64) -> WatcherId {
        self.watchers_ever += 1;
        let watcher = WatcherId(self.watchers_ever);
        self.place(watcher, Some(version));
        watcher
    }

    /// A watcher has seen everything up to a version. Whether all have seen more by that, so that there may be something
    /// to trim.
    pub(super) fn seen(&mut self, watcher: WatcherId, version: u64) -> bool {
        let before = self.positions.first();
        self.place(watcher, Some(version));
        self.positions.first() > before
    }

    /// A watcher is gone.
    pub(super) fn leave(&mut self, watcher: WatcherId) {
        self.place(watcher, None);
    }

    /// Keeps everything after a version, as far as the limits allow, until the lease ends.
    pub(super) fn lease(&mut self, version: u64) {
        self.leases.add(version);
    }

    /// Ends a lease of this version.
    pub(super) fn end_lease(&mut self, version: u64) {
        self.leases.remove(version);
    }

    /// Moves a watcher to its new position, or away.
    fn place(&mut self, watcher: WatcherId, version: Option<u64>) {
        let before = match version {
            Some(version) => {
                self.positions.add(version);
                self.watchers.insert(watcher, version)
            }
            None => self.watchers.remove(&watcher),
        };
        if let Some(before) = before {
            self.positions.remove(before);
        }
    }

    /// Whether there are more changes or bytes; one change alone is never too many.
    fn exceeds(&self, changes: usize, bytes: usize) -> bool {
        self.changes.len() > changes || (self.bytes > bytes && self.changes.len() > 1)
    }

    fn drop_oldest(&mut self) {
        let Some(Counted { change, after, before }) = self.changes.pop_front() else { return };
        self.bytes -= after + before;
        self.floor = change.version();
        self.cooled = self.cooled.saturating_sub(1);
        self.measured = self.measured.saturating_sub(1);
        if let Some(known) = &change.before {
            self.successors.remove(&known.stored.version);
        }
        // The next change of the object keeps its state: that is no less there now.
        if let Some(successor) = self.successors.remove(&change.version()) {
            let at = self.first_after(successor - 1);
            if let Some(successor) = self.changes.get_mut(at) {
                successor.before = after;
                self.bytes += after;
            }
        }
    }
}

impl Places {
    fn add(&mut self, version: u64) {
        *self.0.entry(version).or_default() += 1;
    }

    fn remove(&mut self, version: u64) {
        let Some(there) = self.0.get_mut(&version) else { return };
        *there -= 1;
        if *there == 0 {
            self.0.remove(&version);
        }
    }

    /// The oldest version; the newest that can be, where nobody has a place.
    fn first(&self) -> u64 {
        self.0.first_key_value().map_or(u64::MAX, |(version, _)| *version)
    }
}

impl Change {
    pub(crate) fn key(&self) -> &Key {
        &self.after.entry.key
    }

    pub(crate) fn version(&self) -> u64 {
        self.after.stored.version
    }
}

#[cfg(test)]
mod tests;
