//! Values that were read lately, up to a number of bytes.
//!
//! Two generations: what is read enters the young one; when that holds half the limit it becomes the old one and the
//! former old one is dropped. A value found in the old generation enters the young one again. Nearly as good as
//! least-recently-used, without a list.

use std::{collections::HashMap, mem};

use bytes::Bytes;

use super::value::Version;

/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD_BYTES: usize = 64;

/// Keyed by version: that names a value for ever, so nothing need be invalidated.
pub(super) struct Cache {
    young: HashMap<Version, Bytes>,
    old: HashMap<Version, Bytes>,
    young_bytes: usize,
    generation_bytes_max: usize,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
            generation_bytes_max: bytes_max / 2,
        }
    }

    pub(super) fn get(&mut self, version: Version) -> Option<Bytes> {
        if let Some(bytes) = self.young.get(&version) {
            return Some(bytes.clone());
        }
        let bytes = self.old.remove(&version)?;
        self.insert(version, bytes.clone());
        Some(bytes)
    }

    pub(super) fn insert(&mut self, version: Version, bytes: Bytes) {
        let cost = bytes.len() + ENTRY_OVERHEAD_BYTES;
        if cost > self.generation_bytes_max {
            return;
        }
        if self.young_bytes + cost > self.generation_bytes_max {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(version, bytes).is_none() {
            self.young_bytes += cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_is_used_and_never_more_than_its_limit() {
        let value = Bytes::from(vec![0; 100 - ENTRY_OVERHEAD_BYTES]);
        let mut cache = Cache::new(1000);
        for version in 1..1000 {
            cache.insert(version, value.clone());
            assert!(cache.get(1).is_some(), "used after each insert, lost at {version}");
            assert!(cache.young.len() + cache.old.len() <= 10);
        }
        assert!(cache.get(2).is_none());
        cache.insert(5000, Bytes::from(vec![0; 501]));
        assert!(cache.get(5000).is_none(), "larger than a generation");
    }
}
