//! The ledger: what of each segment is still needed, and which segment to compact next.
//!
//! The log is a circle: compaction moves the live records of the *oldest* segment to the end and removes it. So a
//! tombstone in the oldest segment hides nothing that is older, and goes. A segment in which nothing is live and no
//! tombstone lies is removed out of turn, since that costs no copy: the usual fate of what changes often.
//!
//! As long as some segment is stale, not of the present format and key, there is always one to compact next.

use std::{collections::BTreeMap, sync::Arc};

use super::{index::Place, segment::Form};
use crate::fs::File;

pub(super) struct Segment {
    pub(super) file: Arc<dyn File>,
    /// Bytes on disk.
    pub(super) len: u64,
    pub(super) hint_len: u64,
    /// Bytes of records that the index points to.
    pub(super) live: u64,
    pub(super) tombstones: u64,
    stale: bool,
}

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) segments: BTreeMap<u32, Segment>,
    /// What a segment that is written now is like.
    pub(super) form: Form,
}

impl Ledger {
    pub(super) fn add(&mut self, id: u32, file: Arc<dyn File>, len: u64, form: Form) {
        let stale = form != self.form;
        self.segments.insert(id, Segment { file, len, hint_len: 0, live: 0, tombstones: 0, stale });
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut Segment {
        self.segments.get_mut(&id).expect("a segment is in the ledger until no place points to it")
    }

    pub(super) fn take(&mut self, place: Place) {
        self.get_mut(place.segment).live += u64::from(place.len);
    }

    pub(super) fn release(&mut self, place: Place) {
        self.get_mut(place.segment).live -= u64::from(place.len);
    }

    pub(super) fn add_tombstone(&mut self, id: u32) {
        self.get_mut(id).tombstones += 1;
    }

    pub(super) fn live_bytes(&self) -> u64 {
        self.segments.values().map(|s| s.live).sum()
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.segments.values().map(|s| s.len + s.hint_len).sum()
    }

    /// How many segments are not of the present format and key.
    pub(super) fn stale(&self) -> usize {
        self.segments.values().filter(|s| s.stale).count()
    }

    /// The segment to compact now, if one is stale or the disk holds more than `disk_to_live_max` times what is live, and `slack`.
    pub(super) fn victim(&self, disk_to_live_max: u64, slack: u64) -> Option<u32> {
        if self.stale() == 0 && self.disk_bytes() <= self.live_bytes() * disk_to_live_max + slack {
            return None;
        }
        let (active, _) = self.segments.last_key_value()?;
        let mut sealed = self.segments.range(..active);
        let oldest = sealed.clone().next().map(|(id, _)| *id);
        sealed.find(|(_, s)| s.live == 0 && s.tombstones == 0).map(|(id, _)| *id).or(oldest)
    }
}

#[cfg(test)]
mod tests;
