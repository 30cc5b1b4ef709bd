//! The recent changes of one kind, for those who watch it.

use std::{collections::VecDeque, sync::Arc};

use objects::ChangeKind;
use resources::ObjectKey;

use super::{facts::Facts, stored::Stored};

/// One change of one object.
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: ChangeKind,
    pub(crate) key: Arc<ObjectKey>,
    /// The object before; `None` when it is new.
    pub(crate) before: Option<State>,
    /// The object after; for a delete its last state, under the delete's version.
    pub(crate) after: State,
}

/// An object and what selectors ask of it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) stored: Arc<Stored>,
    pub(crate) facts: Facts,
}

/// How much of the past a kind keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingLimits {
    pub(crate) changes_max: usize,
    pub(crate) bytes_max: usize,
    /// The newest so many changes keep their typed objects.
    pub(crate) hot_max: usize,
}

/// The changes of a kind in their order, the oldest dropped when there are too many.
pub(crate) struct Ring {
    limits: RingLimits,
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// The version after which every change is here.
    floor: u64,
    /// So many of the oldest have let their typed objects go.
    cooled: usize,
}

impl Ring {
    pub(crate) fn new(floor: u64, limits: RingLimits) -> Self {
        Self { limits, changes: VecDeque::new(), bytes: 0, floor, cooled: 0 }
    }

    /// Adds the newest change.
    pub(crate) fn push(&mut self, change: Change) {
        self.bytes += change.cost();
        self.changes.push_back(Arc::new(change));
        while self.changes.len() > self.limits.changes_max
            || (self.bytes > self.limits.bytes_max && self.changes.len() > 1)
        {
            self.drop_oldest();
        }
        self.cool();
    }

    /// The changes after a version, oldest first; `None` when some of them are gone.
    pub(crate) fn after(&self, version: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        (version >= self.floor).then(|| {
            let at = self.changes.partition_point(|change| change.version <= version);
            self.changes.range(at..)
        })
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.changes.pop_front() {
            self.bytes -= oldest.cost();
            self.floor = oldest.version;
            self.cooled = self.cooled.saturating_sub(1);
        }
    }

    fn cool(&mut self) {
        while self.cooled + self.limits.hot_max < self.changes.len() && self.changes[self.cooled].cool() {
            self.cooled += 1;
        }
    }
}

impl Change {
    /// Bytes that the ring counts for it; fixed when it is made, so that what goes in also comes out.
    fn cost(&self) -> usize {
        self.after.stored.cost()
    }

    fn cool(&self) -> bool {
        if let Some(before) = &self.before {
            before.stored.cool();
        }
        self.after.stored.cool()
    }
}

#[cfg(test)]
mod tests;
