//! What the callers and the writer share: the order of the changes, the queue and the index, under one short lock.
//! No I/O is done and no value encoded while it is held.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{
    cache::Cache,
    frame::Marks,
    index::Index,
    options::Options,
    progress::Progress,
    value::{Durability, Op, Version},
};
use crate::{Error, Result, events};

/// A change that has its place in the order and waits for the disk.
pub(super) struct Change {
    pub(super) key: Arc<str>,
    pub(super) version: Version,
    pub(super) op: Op,
    /// Counted against the queue's limit.
    pub(super) cost: usize,
}

/// What the writer writes with one sync.
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// The last version handed out, whether in this batch or behind it.
    pub(super) given: Version,
    /// The last version that may be handed out once this batch is durable.
    pub(super) reserved: Version,
    /// The store is being closed and nothing is queued behind this.
    pub(super) last: bool,
}

pub(super) struct State {
    pub(super) index: Index,
    /// The version of the next change.
    pub(super) next: Version,
    /// Durably reserved: no version beyond it is handed out.
    reserved: Version,
    queue: VecDeque<Change>,
    queue_bytes: usize,
    /// Somebody waits for what is queued.
    urgent: bool,
    closing: bool,
}

impl State {
    /// What is to be reserved durably with the next commit: more, when half of the block is used.
    fn reserve(&self, block: u64) -> Version {
        if self.reserved < self.next + block / 2 { self.next + block } else { self.reserved }
    }
}

pub(super) struct Shared {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) progress: Progress,
    pub(super) cache: Mutex<Cache>,
    state: Mutex<State>,
    /// Wakes the writer.
    wake: Condvar,
}

/// What a change costs in the queue beside its value.
const CHANGE_OVERHEAD_BYTES: usize = 128;

impl Shared {
    /// `marks` are those of the log as it lies on disk; the next version is `next`.
    pub(super) fn new(dir: PathBuf, options: Options, index: Index, marks: Marks, next: Version) -> Self {
        let state = State {
            index,
            next,
            reserved: marks.reserved,
            queue: VecDeque::new(),
            queue_bytes: 0,
            urgent: false,
            closing: false,
        };
        Self {
            progress: Progress::new(marks.last),
            cache: Mutex::new(Cache::new(options.cache_bytes_max)),
            dir,
            options,
            state: Mutex::new(state),
            wake: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Gives the change its version and its place, and queues it.
    pub(super) fn append(
        &self,
        key: &Arc<str>,
        durability: Durability,
        op: impl FnOnce(Version) -> Op,
    ) -> Result<Version> {
        let Options { key_bytes_max, value_bytes_max, queue_bytes_max, .. } = self.options;
        if key.len() > key_bytes_max {
            return Err(Error::TooLarge { what: "key", len: key.len(), limit: key_bytes_max });
        }
        let mut state = self.state.lock();
        self.check()?;
        if state.closing {
            return Err(Error::Closed);
        }
        let version = state.next;
        if version > state.reserved {
            let (queued, limit) = (state.queue.len() as u64, self.options.version_block / 2);
            return Err(Error::Overloaded { what: "changes", queued, limit });
        }
        let op = op(version);
        let value_len = op.size_hint();
        if value_len > value_bytes_max {
            return Err(Error::TooLarge { what: "value", len: value_len, limit: value_bytes_max });
        }
        let cost = CHANGE_OVERHEAD_BYTES + key.len() + value_len;
        // A change that alone exceeds the limit passes when nothing else waits.
        if state.queue_bytes + cost > queue_bytes_max && !state.queue.is_empty() {
            let (queued, limit) = (state.queue_bytes as u64, queue_bytes_max as u64);
            return Err(Error::Overloaded { what: "bytes", queued, limit });
        }
        match &op {
            Op::Put(value) => state.index.queue(key, version, value.clone()),
            Op::Delete => state.index.remove(key),
        }
        // The writer sleeps without a limit when the queue is empty, and until it is urgent otherwise.
        let wakes = state.queue.is_empty() || (durability == Durability::Wait && !state.urgent);
        state.urgent |= durability == Durability::Wait;
        state.next += 1;
        state.queue_bytes += cost;
        state.queue.push_back(Change { key: Arc::clone(key), version, op, cost });
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(version)
    }

    /// Waits for something to write. With `more_to_do`, does not wait when nothing is queued.
    ///
    /// # Errors
    /// The store has failed.
    pub(super) fn next_batch(&self, more_to_do: bool) -> Result<Batch> {
        let mut state = self.state.lock();
        while state.queue.is_empty() && !state.closing && !more_to_do && self.check().is_ok() {
            self.wake.wait(&mut state);
        }
        self.check()?;
        if !state.queue.is_empty() && !state.urgent && !state.closing {
            self.wake.wait_for(&mut state, self.options.collect_max);
        }
        let mut bytes = 0;
        let mut changes = Vec::new();
        while let Some(change) = state.queue.front() {
            bytes += change.cost;
            if bytes > self.options.commit_bytes_max && !changes.is_empty() {
                break;
            }
            changes.extend(state.queue.pop_front());
        }
        state.queue_bytes -= changes.iter().map(|change| change.cost).sum::<usize>();
        // What is left has waited already: it stays urgent.
        state.urgent = !state.queue.is_empty();
        Ok(Batch {
            changes,
            given: state.next - 1,
            reserved: state.reserve(self.options.version_block),
            last: state.closing && state.queue.is_empty(),
        })
    }

    /// The marks of the last commit are on disk.
    pub(super) fn committed(&self, marks: Marks) {
        self.lock().reserved = marks.reserved;
        self.progress.advance(marks.last);
    }

    /// Stops acknowledging, for ever. Returns what those are told who asked for it.
    pub(super) fn fail(&self, error: Error) -> Error {
        let cause = Arc::new(error);
        if self.progress.fail(Arc::clone(&cause)) {
            events::failed(&cause);
        }
        // What was queued is still read from the index.
        let mut state = self.lock();
        state.queue = VecDeque::new();
        drop(state);
        self.wake.notify_one();
        Error::Failed(cause)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.progress.check()
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }
}
