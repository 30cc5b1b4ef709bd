//! The object store: keys with one value each, and one total order of all their changes.
//!
//! - [`ObjectStore::append`] gives a change its [`Version`] and its place in the order at once, without I/O, and
//!   [`ObjectStore::get`] sees it at once. It may be called under the caller's own lock, which makes
//!   compare-and-append the caller's to define.
//! - [`ObjectStore::durable`] waits until a change *and everything before it* is on disk. A crash therefore leaves
//!   a prefix of the order, never a gap.
//! - Versions are reserved on disk in blocks ahead of their use: none is ever given twice, whatever is lost.
//! - After a failed write, sync or read nothing is acknowledged any more, and nothing is tried again. The same when a
//!   read comes upon a damaged record: compaction neither drops it nor copies it on.
//! - Values of keys that [`Sealing`] names are encrypted on disk.
//!
//! On disk it is a log in segments (see `segment`, `frame`, `record`), with a hint beside each sealed one; in memory
//! an index of places. Values stay on disk, behind a bounded cache.

mod cache;
mod compaction;
mod frame;
mod hint;
mod index;
mod ledger;
mod options;
mod progress;
mod record;
mod recovery;
mod replay;
mod scan;
mod seal;
mod segment;
mod shared;
mod value;
mod writer;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use parking_lot::Mutex;

use self::{
    frame::Marks,
    index::{Place, Slot},
    record::Record,
    shared::Shared,
    writer::Writer,
};
pub use self::{
    options::Options,
    recovery::Recovered,
    scan::Scan,
    seal::{KeyId, SealKey, Sealing, key_of},
    value::{Durability, Encode, Op, Value, Version},
};
use crate::{
    Error, Result,
    error::IoContext,
    events,
    fs::{Disk, File, FileSystem, LockGuard},
};

/// Keys with values, durable in the order of their changes. One store (and one process) per directory.
///
/// Dropping it closes it, blocking; call [`ObjectStore::close`] to learn whether that succeeded.
pub struct ObjectStore {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
}

/// What ends when the store is closed, in this order.
struct Running {
    writer: JoinHandle<()>,
    _lock: LockGuard,
}

/// Sizes, for metrics. Bytes are of records on disk, changes in the queue not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Keys that have a value.
    pub keys: usize,
    /// Of records that count: the last of each key that has a value.
    pub live_bytes: u64,
    /// Of all records in all segments; compaction keeps it near `live_bytes`.
    pub disk_bytes: u64,
    /// Files of the journal, with the one that is written.
    pub segments: usize,
    /// Those of them that are not of the present format and key. Compaction writes anew what is in them.
    pub stale_segments: usize,
    /// The last version given.
    pub last: Version,
    /// The last version on disk.
    pub last_durable: Version,
}

impl ObjectStore {
    /// Opens or creates the store in `dir`. Blocks on I/O.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::UnknownFormat`], [`Error::KeyMissing`], [`Error::Corrupt`] or [`Error::Io`]; but for
    /// the last the directory is as it was. A torn end of the log, as a crash leaves it, is no error.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovered)> {
        Self::open_on(Arc::new(Disk), dir.as_ref(), options)
    }

    /// The keys that something in `dir` is sealed with. Changes nothing.
    ///
    /// # Errors
    /// As [`ObjectStore::open`].
    pub fn sealed_with(fs: &dyn FileSystem, dir: &Path) -> Result<BTreeSet<KeyId>> {
        recovery::sealed_with(fs, dir)
    }

    /// [`ObjectStore::open`] on a file system of the caller's.
    pub fn open_on(fs: Arc<dyn FileSystem>, dir: &Path, options: Options) -> Result<(Self, Recovered)> {
        let options = options.clamped();
        fs.create_dir(dir).context("create", dir)?;
        let lock_path = dir.join("lock");
        let lock = fs.lock(&lock_path).context("lock", &lock_path)?;
        let lock = lock.ok_or_else(|| Error::Locked { dir: dir.to_owned() })?;

        let recovery::Opened { index, active, recovered } = recovery::open(&*fs, dir, &options)?;
        events::opened(dir, &recovered);
        let marks: Marks = active.hint.marks;
        let shared = Arc::new(Shared::new(dir.to_owned(), options, index, marks, recovered.next));
        let writer = Writer::new(shared.clone(), fs, active);
        let writer = thread::Builder::new()
            .name("storage-writer".into())
            .spawn(move || writer.run())
            .context("start the writer thread of", dir)?;
        let running = Running { writer, _lock: lock };
        Ok((Self { shared, running: Mutex::new(Some(running)) }, recovered))
    }

    /// Places one change in the order. Never blocks on I/O; cheap enough to be called under a lock.
    ///
    /// # Errors
    /// Nothing has changed after [`Error::Overloaded`] (try later), [`Error::TooLarge`], [`Error::Failed`] and
    /// [`Error::Closed`].
    pub fn append(&self, key: &str, op: Op, durability: Durability) -> Result<Version> {
        self.append_with(&key.into(), durability, |_| op)
    }

    /// [`ObjectStore::append`] for a value that contains its own version. `op` runs under the store's lock: it must
    /// be quick and must not call the store. It may have run although an error is returned.
    ///
    /// The index shares the text of a new key with the caller, and [`ObjectStore::scan`] hands it out again.
    pub fn append_with(
        &self,
        key: &Arc<str>,
        durability: Durability,
        op: impl FnOnce(Version) -> Op,
    ) -> Result<Version> {
        self.shared.append(key, durability, op)
    }

    /// Waits until the change `version`, as given by `append`, and all before it are on disk.
    ///
    /// # Errors
    /// [`Error::Failed`] once any write has failed, whatever the version: then nobody can rely on the disk.
    /// [`Error::Closed`] if the store was closed without it.
    pub async fn durable(&self, version: Version) -> Result<()> {
        self.shared.progress.reached(version).await
    }

    /// The newest value of `key` and its version, durable or not. May block on a read of the disk.
    ///
    /// # Errors
    /// [`Error::Failed`], for ever: because of an [`Error::Io`], or of an [`Error::Corrupt`] if the bytes on disk are not
    /// those that were written.
    pub fn get(&self, key: &str) -> Result<Option<(Version, Bytes)>> {
        let (version, value) = {
            let state = self.shared.lock();
            let Some(entry) = state.index.get(key) else { return Ok(None) };
            match &entry.slot {
                Slot::Queued(value) => (entry.version, Found::Queued(value.clone())),
                // With the file in hand the record stays readable, even if compaction removes the segment.
                Slot::Written(place) => {
                    let file = state.index.ledger.segments[&place.segment].file.clone();
                    (entry.version, Found::Written(*place, file))
                }
            }
        };
        let bytes = match value {
            Found::Queued(value) => value.encode(),
            Found::Written(place, file) => {
                // Who serves on from a disk that does not give back what it took would lose more with each write.
                self.read(key, version, place, &*file).map_err(|error| self.shared.fail(error))?
            }
        };
        Ok(Some((version, bytes)))
    }

    /// The version of `key`, without its value. Does no I/O.
    pub fn version(&self, key: &str) -> Option<Version> {
        self.shared.lock().index.get(key).map(|entry| entry.version)
    }

    /// The last version given. Does no I/O.
    pub fn last(&self) -> Version {
        self.shared.lock().next - 1
    }

    /// The keys that begin with `prefix`, in order, with their versions. Does no I/O.
    pub fn scan(&self, prefix: &str) -> Scan {
        Scan::new(self.shared.clone(), prefix)
    }

    /// `Ok` while writes are accepted; the cause of the failure after one.
    pub fn health(&self) -> Result<()> {
        self.shared.check()
    }

    /// How large it is now. Does no I/O.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        let ledger = &state.index.ledger;
        Stats {
            keys: state.index.len(),
            live_bytes: ledger.live_bytes(),
            disk_bytes: ledger.disk_bytes(),
            segments: ledger.segments.len(),
            stale_segments: ledger.stale(),
            last: state.next - 1,
            last_durable: self.shared.progress.durable(),
        }
    }

    /// Writes what is queued, syncs, and releases the directory. Blocks. Reads go on; a second call does nothing.
    ///
    /// # Errors
    /// [`Error::Failed`] if not everything is on disk.
    pub fn close(&self) -> Result<()> {
        self.shared.close();
        if let Some(Running { writer, _lock }) = self.running.lock().take() {
            // A panic has been turned into a failure by the thread itself.
            let _ = writer.join();
        }
        self.shared.check()
    }

    fn read(&self, key: &str, version: Version, place: Place, file: &dyn File) -> Result<Bytes> {
        if let Some(bytes) = self.shared.cache.lock().get(version) {
            return Ok(bytes);
        }
        let path = || -> PathBuf { segment::path(&self.shared.dir, place.segment) };
        let from = u64::from(place.offset);
        let bytes = segment::read(file, from, from + u64::from(place.len)).context("read", &path())?;
        let corrupt = |reason| Error::Corrupt { path: path(), offset: from, reason };
        let record = Record::read(&bytes).map_err(corrupt)?;
        if record.key != key || record.version != version {
            return Err(corrupt("another record than expected"));
        }
        let value = if record.sealed {
            let sealing = self.shared.options.sealing.as_ref();
            let opened = sealing.ok_or("a value is sealed, and no key was given");
            let opened = opened.and_then(|sealing| sealing.open(key, version, record.value));
            Bytes::from(opened.map_err(corrupt)?)
        } else {
            let value_at = record::HEADER + key.len();
            Bytes::from(bytes).slice(value_at..)
        };
        self.shared.cache.lock().insert(version, value.clone());
        Ok(value)
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        // The failure, if any, has been logged and told to everybody who waited.
        let _ = self.close();
    }
}

enum Found {
    Queued(Value),
    Written(Place, Arc<dyn File>),
}
