//! The writer: one thread that does all the writing, a frame at a time.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

use super::{
    compaction::Compaction,
    frame::{self, Marks},
    hint,
    index::Place,
    record::{Kind, Record},
    seal::Sealing,
    segment::{self, Active},
    shared::{Batch, Change, Shared},
    value::{Op, Version},
};
use crate::{Error, Result, fs::FileSystem};

pub(super) struct Writer {
    shared: Arc<Shared>,
    fs: Arc<dyn FileSystem>,
    active: Active,
    compaction: Compaction,
    frame: frame::Builder,
}

/// A record in a frame that is not yet durable; its place is relative to the frame.
pub(super) struct Placed {
    pub(super) key: Arc<str>,
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) at: usize,
    pub(super) len: usize,
}

/// Records entered into the index under one lock: keeps it short.
const SETTLE_RECORDS_MAX: usize = 256;

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, fs: Arc<dyn FileSystem>, active: Active) -> Self {
        Self { shared, fs, active, compaction: Compaction::default(), frame: frame::Builder::new() }
    }

    /// Writes until the store is closed or a write fails.
    pub(super) fn run(mut self) {
        let _on_panic = FailOnPanic(self.shared.clone());
        match self.work() {
            Ok(()) => self.shared.progress.close(),
            // A read has failed elsewhere: nothing new.
            Err(Error::Failed(_)) => {}
            Err(error) => _ = self.shared.fail(error),
        }
    }

    fn work(&mut self) -> Result<()> {
        // What is stale is not to wait for a first write.
        self.compaction.step(&self.shared, &*self.fs)?;
        loop {
            let batch = self.shared.next_batch(self.compaction.is_ready(&self.shared))?;
            self.commit(&batch)?;
            if batch.last {
                return self.finish(batch.given);
            }
            if self.active.len >= self.shared.options.segment_bytes_max {
                self.roll()?;
            }
            self.compaction.step(&self.shared, &*self.fs)?;
        }
    }

    /// Writes what compaction moves and the changes, as one frame. Returns when it is durable.
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        // Compaction keeps up: whatever is written, twice as much is looked through.
        let written: usize = batch.changes.iter().map(|change| change.cost).sum();
        let budget = self.shared.options.compaction_slice_bytes.max(2 * written);
        let mut placed = Vec::new();
        self.compaction.slice(&self.shared, budget, &mut self.frame, &mut placed)?;
        place_changes(&batch.changes, self.shared.options.sealing.as_ref(), &mut self.frame, &mut placed)?;
        if placed.is_empty() {
            return Ok(());
        }
        let last = batch.changes.last().map_or(self.active.hint.marks.last, |change| change.version);
        self.write_frame(&placed, Marks { last, reserved: batch.reserved, clean: false })
    }

    fn write_frame(&mut self, placed: &[Placed], marks: Marks) -> Result<()> {
        let offset = self.active.commit(&mut self.frame, marks)?;
        self.frame.reset();
        self.settle(placed, offset);
        self.shared.committed(marks);
        Ok(())
    }

    /// Tells the index and the hint where the records of a durable frame lie.
    fn settle(&mut self, placed: &[Placed], frame_offset: u64) {
        self.shared.lock().index.ledger.get_mut(self.active.id).len = self.active.len;
        for some in placed.chunks(SETTLE_RECORDS_MAX) {
            let mut state = self.shared.lock();
            for record in some {
                let offset = frame_offset as u32 + record.at as u32;
                let place = Place { segment: self.active.id, offset, len: record.len as u32 };
                let (kind, version, key) = (record.kind, record.version, &*record.key);
                self.active.hint.push(&hint::Entry { kind, version, place, key });
                match kind {
                    Kind::Put => state.index.written(key, version, place),
                    Kind::Delete => state.index.ledger.add_tombstone(place.segment),
                }
            }
        }
    }

    /// Seals the active segment and begins the next.
    fn roll(&mut self) -> Result<()> {
        self.write_hint()?;
        let Active { id, ref hint, .. } = self.active;
        let form = self.shared.options.form();
        let active = Active::create(&*self.fs, &self.shared.dir, id + 1, hint.marks, form)?;
        self.shared.lock().index.ledger.add(active.id, active.file.clone(), active.len, form);
        self.active = active;
        Ok(())
    }

    /// Ends the log with a frame that says that no version beyond `given` was handed out.
    fn finish(&mut self, given: Version) -> Result<()> {
        let Marks { last, .. } = self.active.hint.marks;
        self.write_frame(&[], Marks { last, reserved: given, clean: true })?;
        self.write_hint()
    }

    fn write_hint(&mut self) -> Result<()> {
        let Active { id, ref hint, .. } = self.active;
        segment::write_hint(&*self.fs, &self.shared.dir, id, hint)?;
        self.shared.lock().index.ledger.get_mut(id).hint_len = hint.encoded_len();
        Ok(())
    }
}

/// Encodes the changes into the frame. Of several changes of one key only the last is written: the frame counts as
/// a whole, so nobody can find the others missing.
fn place_changes(
    changes: &[Change],
    sealing: Option<&Sealing>,
    frame: &mut frame::Builder,
    placed: &mut Vec<Placed>,
) -> Result<()> {
    let newest: HashMap<&str, Version> =
        changes.iter().map(|change| (&*change.key, change.version)).collect();
    for Change { key, version, op, .. } in changes.iter().filter(|c| newest[&*c.key] == c.version) {
        let (kind, mut value) = match op {
            Op::Put(value) => (Kind::Put, value.encode()),
            Op::Delete => (Kind::Delete, Bytes::new()),
        };
        let sealing = sealing.filter(|sealing| kind == Kind::Put && sealing.covers(key));
        if let Some(sealing) = sealing {
            value = sealing.current().seal(key, *version, &value)?.into();
        }
        let record = Record { kind, version: *version, key, value: &value, sealed: sealing.is_some() };
        let at = frame.push(&record);
        placed.push(Placed { key: key.clone(), kind, version: *version, at, len: record.len() });
    }
    Ok(())
}

/// A panicking `Encode` must not leave anybody waiting for ever.
struct FailOnPanic(Arc<Shared>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            _ = self.0.fail(Error::WriterPanicked);
        }
    }
}
