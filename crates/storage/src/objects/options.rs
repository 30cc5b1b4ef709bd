//! Every limit of the store, in one place.

use std::time::Duration;

use super::{seal::Sealing, segment::Form};

/// The store's limits. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment that has reached this size is sealed and a new one begun. At most 1 GiB.
    pub segment_bytes_max: u64,
    /// Values kept in memory after they were read from disk.
    pub cache_bytes_max: usize,
    /// Changes that wait for the disk, by their size hints; beyond it `append` is refused.
    pub queue_bytes_max: usize,
    /// Length of a key. At most 65,535.
    pub key_bytes_max: usize,
    /// Length of a value, by its size hint.
    pub value_bytes_max: usize,
    /// Changes written with one sync, by their size hints; one larger value still goes alone.
    pub commit_bytes_max: usize,
    /// How long changes that may be lazy are collected before they are written. With the write itself they are
    /// durable within 20 ms on a disk that syncs within 5.
    pub collect_max: Duration,
    /// Versions reserved ahead on disk. After a crash this many are skipped at most; half of them bounds the
    /// changes in flight.
    pub version_block: u64,
    /// What the versions of a new store come after; a store that is there goes on with its own.
    pub begin_after: u64,
    /// Compaction runs while the bytes on disk exceed the live ones by this factor and one segment.
    pub disk_to_live_max: u64,
    /// What is encrypted on disk, and with what.
    pub sealing: Option<Sealing>,
    /// Bytes that compaction copies with one commit at least; more when more was written.
    pub compaction_slice_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes_max: 16 << 20,
            cache_bytes_max: 2 << 20,
            queue_bytes_max: 64 << 20,
            key_bytes_max: 1024,
            value_bytes_max: 8 << 20,
            commit_bytes_max: 4 << 20,
            collect_max: Duration::from_millis(15),
            version_block: 100_000,
            begin_after: 0,
            disk_to_live_max: 2,
            sealing: None,
            compaction_slice_bytes: 256 << 10,
        }
    }
}

/// Offsets in a segment are 32 bits, and a commit may exceed the limit.
const SEGMENT_BYTES_CEILING: u64 = 1 << 30;

impl Options {
    /// What a segment that is begun now is like.
    pub(super) fn form(&self) -> Form {
        Form::present(self.sealing.as_ref().map(|sealing| sealing.current().id()))
    }

    /// Brings into range what the formats cannot hold.
    pub(super) fn clamped(self) -> Self {
        Self {
            segment_bytes_max: self.segment_bytes_max.min(SEGMENT_BYTES_CEILING),
            key_bytes_max: self.key_bytes_max.min(usize::from(u16::MAX)),
            version_block: self.version_block.max(2),
            ..self
        }
    }
}
