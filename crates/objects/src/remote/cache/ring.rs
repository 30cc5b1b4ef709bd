//! The recent changes of a kind.

use std::{collections::VecDeque, sync::Arc};

use resources::DynObject;

use crate::{ChangeKind, ListOptions};

/// One change of one object.
#[derive(Clone)]
pub(in crate::remote) struct Change {
    pub(super) version: u64,
    /// The object before; `None` when it is new.
    pub(super) before: Option<Arc<dyn DynObject>>,
    /// The object after; when it is gone, its last state with the version of the delete.
    pub(super) object: Arc<dyn DynObject>,
    pub(super) gone: bool,
}

/// The newest changes, oldest first; each has a number that tells its place among all there ever were.
pub(super) struct Ring {
    changes: VecDeque<Change>,
    max: usize,
    /// The number of the oldest one.
    first: u64,
    /// The version after which every change is here.
    floor: u64,
}

impl Change {
    /// The change as somebody sees it who asked for some objects only.
    pub(super) fn seen_by(&self, options: &ListOptions) -> Option<crate::Change> {
        let before = self.before.as_ref().filter(|before| options.matches(before.metadata()));
        let after = !self.gone && options.matches(self.object.metadata());
        let (kind, object) = match (before, after) {
            (None, false) => return None,
            (None, true) => (ChangeKind::Added, Arc::clone(&self.object)),
            (Some(_), true) => (ChangeKind::Modified, Arc::clone(&self.object)),
            (Some(_), false) if self.gone => (ChangeKind::Deleted, Arc::clone(&self.object)),
            // It is still there, but no longer for this one: the last it sees of it is what it saw before.
            (Some(before), false) => (ChangeKind::Deleted, at_version(before, self.version)),
        };
        Some(crate::Change { kind, object })
    }
}

impl Ring {
    pub(super) fn new(floor: u64, max: usize) -> Self {
        Self { changes: VecDeque::new(), max: max.max(1), first: 0, floor }
    }

    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() == self.max
            && let Some(oldest) = self.changes.pop_front()
        {
            self.floor = oldest.version;
            self.first += 1;
        }
        self.changes.push_back(change);
    }

    /// The number that the next change will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.changes.len() as u64
    }

    /// The number of the first change after a version; `None` when some of those are gone.
    pub(super) fn position(&self, version: u64) -> Option<u64> {
        let at = self.changes.partition_point(|change| change.version <= version);
        (version >= self.floor).then_some(self.first + at as u64)
    }

    /// The changes from a number on; `None` when some of those are gone.
    pub(super) fn from(&self, number: u64) -> Option<impl Iterator<Item = &Change>> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        Some(self.changes.range(at.min(self.changes.len())..))
    }
}

/// The object under another version.
pub(super) fn at_version(object: &Arc<dyn DynObject>, version: u64) -> Arc<dyn DynObject> {
    let mut metadata = object.metadata().clone();
    metadata.resource_version = Some(version.to_string());
    Arc::clone(object).with_metadata(metadata)
}
