//! Compaction: moves what is live out of one segment, a slice with each commit, and removes the segment.
//!
//! Two rules keep the log a prefix of the history. A record that is dead because a newer change is *queued* may go
//! only when that change is durable: hence the barrier. And one removal is durable before the next begins, lest an
//! older segment come back after a crash without the tombstones that a newer one held.

use std::sync::Arc;

use super::{
    frame,
    hint::{self, Hint},
    index::Place,
    record::{Kind, Record},
    replay, seal, segment,
    shared::Shared,
    value::Version,
    writer::Placed,
};
use crate::{
    Error, Result,
    error::IoContext,
    events,
    fs::{File, FileSystem},
};

/// Records looked at with one commit: bounds the time when most of them are dead.
const SLICE_RECORDS_MAX: usize = 8192;
/// Records looked up under one lock.
const LOOKUP_RECORDS_MAX: usize = 256;

#[derive(Default)]
pub(super) struct Compaction {
    victim: Option<Victim>,
}

struct Victim {
    id: u32,
    file: Arc<dyn File>,
    hint: Hint,
    cursor: hint::Cursor,
    /// Set when every record was looked at: the victim may go when this version is durable.
    barrier: Option<Version>,
}

impl Compaction {
    /// Whether there is something to do without waiting for a change.
    pub(super) fn is_ready(&self, shared: &Shared) -> bool {
        self.victim.as_ref().is_some_and(|v| v.barrier.is_none_or(|b| b <= shared.progress.durable()))
    }

    /// Adds live records of the victim, about `budget` bytes of them, to the frame.
    pub(super) fn slice(
        &mut self,
        shared: &Shared,
        budget: usize,
        frame: &mut frame::Builder,
        placed: &mut Vec<Placed>,
    ) -> Result<()> {
        let Some(victim) = &mut self.victim else { return Ok(()) };
        let mut seen = 0;
        while victim.barrier.is_none() && seen < SLICE_RECORDS_MAX && frame.body_len() < budget {
            seen += LOOKUP_RECORDS_MAX;
            let live = victim.next_live(shared, budget - frame.body_len());
            for (key, version, place) in live {
                let bytes = victim.read(shared, &key, version, place)?;
                let before = frame.body_len();
                let at = match victim.sealed_anew(shared, &bytes, place)? {
                    None => frame.push_written(&bytes),
                    Some(value) => frame.push(&Record {
                        kind: Kind::Put,
                        version,
                        key: &key,
                        value: &value,
                        sealed: true,
                    }),
                };
                placed.push(Placed { key, kind: Kind::Put, version, at, len: frame.body_len() - before });
            }
        }
        Ok(())
    }

    /// Between commits: removes a victim that is done with, chooses the next.
    pub(super) fn step(&mut self, shared: &Shared, fs: &dyn FileSystem) -> Result<()> {
        if self.is_ready(shared)
            && let Some(victim) = self.victim.take_if(|v| v.barrier.is_some())
        {
            let stale = |shared: &Shared| shared.lock().index.ledger.stale();
            let before = stale(shared);
            victim.remove(shared, fs)?;
            if before > 0 && stale(shared) == 0 {
                events::rewritten(&shared.dir);
            }
        }
        if self.victim.is_none() {
            self.victim =
                choose(shared).map(|(id, file, len)| Victim::load(shared, fs, id, file, len)).transpose()?;
        }
        Ok(())
    }
}

fn choose(shared: &Shared) -> Option<(u32, Arc<dyn File>, u64)> {
    let state = shared.lock();
    let ledger = &state.index.ledger;
    let id = ledger.victim(shared.options.disk_to_live_max, shared.options.segment_bytes_max)?;
    let segment = &ledger.segments[&id];
    Some((id, segment.file.clone(), segment.len))
}

impl Victim {
    fn load(shared: &Shared, fs: &dyn FileSystem, id: u32, file: Arc<dyn File>, len: u64) -> Result<Self> {
        let hint = match segment::read_hint(fs, &shared.dir, id, len).filter(|hint| hint.covered == len) {
            Some(hint) => hint,
            None => {
                let path = segment::path(&shared.dir, id);
                let mut hint = Hint::new(id, segment::HEADER as u64, frame::Marks::default());
                let bytes = segment::read(&*file, hint.covered, len).context("read", &path)?;
                replay::replay(&mut hint, id, &bytes).map_err(|damage| Error::Corrupt {
                    path,
                    offset: damage.offset,
                    reason: damage.reason,
                })?;
                hint
            }
        };
        Ok(Self { id, file, hint, cursor: hint::Cursor::default(), barrier: None })
    }

    /// The next live records, until `budget` bytes are reached. Sets the barrier when there are no more.
    fn next_live(&mut self, shared: &Shared, budget: usize) -> Vec<(Arc<str>, Version, Place)> {
        let mut live = Vec::new();
        let mut bytes = 0;
        let state = shared.lock();
        for _ in 0..LOOKUP_RECORDS_MAX {
            let Some(entry) = self.hint.next(&mut self.cursor) else {
                self.barrier = Some(state.next - 1);
                break;
            };
            if entry.kind == Kind::Put && state.index.is_at(entry.key, entry.place) {
                bytes += entry.place.len as usize;
                live.push((entry.key.into(), entry.version, entry.place));
                if bytes >= budget {
                    break;
                }
            }
        }
        live
    }

    /// The record at `place`, checked: damage must not be copied on.
    fn read(&self, shared: &Shared, key: &str, version: Version, place: Place) -> Result<Vec<u8>> {
        let from = u64::from(place.offset);
        let path = segment::path(&shared.dir, self.id);
        let bytes = segment::read(&*self.file, from, from + u64::from(place.len)).context("read", &path)?;
        let reason = match Record::read(&bytes) {
            Ok(record) if record.key == key && record.version == version && record.len() == bytes.len() => {
                return Ok(bytes);
            }
            Ok(_) => "another record than expected",
            Err(reason) => reason,
        };
        Err(self.corrupt(shared, place, reason))
    }

    /// The value of the record at `place`, if it is not yet sealed with the present key as it should be.
    fn sealed_anew(&self, shared: &Shared, record: &[u8], place: Place) -> Result<Option<Vec<u8>>> {
        let corrupt = |reason| self.corrupt(shared, place, reason);
        let Some(sealing) = &shared.options.sealing else { return Ok(None) };
        let Record { key, version, value, sealed, .. } = Record::read(record).map_err(corrupt)?;
        let current = sealing.current();
        let is_current = sealed && seal::key_of(value) == Some(current.id());
        if is_current || !(sealed || sealing.covers(key)) {
            return Ok(None);
        }
        if !sealed {
            return current.seal(key, version, value).map(Some);
        }
        let opened = sealing.open(key, version, value).map_err(corrupt)?;
        current.seal(key, version, &opened).map(Some)
    }

    fn corrupt(&self, shared: &Shared, place: Place, reason: &'static str) -> Error {
        let path = segment::path(&shared.dir, self.id);
        Error::Corrupt { path, offset: u64::from(place.offset), reason }
    }

    fn remove(self, shared: &Shared, fs: &dyn FileSystem) -> Result<()> {
        let segment = shared.lock().index.ledger.segments.remove(&self.id);
        debug_assert!(segment.is_none_or(|s| s.live == 0), "every live record was moved");
        let path = segment::path(&shared.dir, self.id);
        fs.remove(&path).context("remove", &path)?;
        let hint = segment::hint_path(&shared.dir, self.id);
        match fs.remove(&hint) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("remove", &hint);
            }
            _ => {}
        }
        fs.sync_dir(&shared.dir).context("sync", &shared.dir)
    }
}
