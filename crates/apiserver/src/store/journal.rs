//! Where the state's bytes live.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bytes::Bytes;
use objects::Error;
use parking_lot::Mutex;
use storage::{
    fs::FileSystem,
    objects::{Durability, ObjectStore, Op, Options},
};

/// The durable order of all writes; or, for tests and previews, one that is gone with the process.
pub(crate) enum Journal {
    Disk(ObjectStore),
    Memory(Mutex<Memory>),
}

#[derive(Default)]
pub(crate) struct Memory {
    last: u64,
    values: BTreeMap<Arc<str>, (u64, storage::objects::Value)>,
}

/// What was found when the journal was opened.
pub(crate) struct Found {
    /// The last version on disk.
    pub(crate) last_durable: u64,
    /// The version of the next write; what lies between was lost in a crash.
    pub(crate) next: u64,
}

impl Journal {
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        dir: &Path,
        options: Options,
    ) -> storage::Result<(Self, Found)> {
        let (store, recovered) = ObjectStore::open_on(fs, dir, options)?;
        Ok((Self::Disk(store), Found { last_durable: recovered.last_durable, next: recovered.next }))
    }

    pub(crate) fn memory() -> (Self, Found) {
        (Self::Memory(Mutex::default()), Found { last_durable: 0, next: 1 })
    }

    /// Places a write in the order; `op` learns its version. Never blocks.
    pub(crate) fn append(
        &self,
        key: &Arc<str>,
        durability: Durability,
        op: impl FnOnce(u64) -> Op,
    ) -> Result<u64, Error> {
        match self {
            Self::Disk(store) => store.append_with(key, durability, op).map_err(api_error),
            Self::Memory(memory) => {
                let mut memory = memory.lock();
                memory.last += 1;
                let version = memory.last;
                match op(version) {
                    Op::Put(value) => memory.values.insert(Arc::clone(key), (version, value)),
                    Op::Delete => memory.values.remove(key),
                };
                Ok(version)
            }
        }
    }

    /// Waits until a write and all before it are on disk.
    pub(crate) async fn durable(&self, version: u64) -> Result<(), Error> {
        match self {
            Self::Disk(store) => store.durable(version).await.map_err(api_error),
            Self::Memory(_) => Ok(()),
        }
    }

    /// The newest value of a key. May read the disk.
    pub(crate) fn get(&self, key: &str) -> Result<Option<(u64, Bytes)>, Error> {
        match self {
            Self::Disk(store) => store.get(key).map_err(api_error),
            Self::Memory(memory) => {
                let found = memory.lock().values.get(key).cloned();
                Ok(found.map(|(version, value)| (version, value.encode())))
            }
        }
    }

    /// The keys that begin with a prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<Arc<str>> {
        match self {
            Self::Disk(store) => store.scan(prefix).map(|(key, _)| key).collect(),
            Self::Memory(memory) => {
                let memory = memory.lock();
                memory.values.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
            }
        }
    }

    /// `Ok` while writes are accepted.
    pub(crate) fn health(&self) -> storage::Result<()> {
        match self {
            Self::Disk(store) => store.health(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Writes what is queued and releases the directory. Blocks.
    pub(crate) fn close(&self) -> storage::Result<()> {
        match self {
            Self::Disk(store) => store.close(),
            Self::Memory(_) => Ok(()),
        }
    }
}

/// What a writer can do when the disk does not do its part.
fn api_error(error: storage::Error) -> Error {
    match error {
        storage::Error::Overloaded { .. } | storage::Error::Closed => Error::Unavailable(chain(&error)),
        storage::Error::TooLarge { .. } => Error::TooLarge(format!("Request entity too large: {error}")),
        _ => Error::State(chain(&error)),
    }
}

/// What has happened, and why.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
