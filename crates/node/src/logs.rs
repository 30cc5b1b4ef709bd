//! What containers write: kept in files of limited size, read back by `kubectl logs`.
//!
//! A line is stored as Kubernetes' container runtimes do: time, stream, `F` or `P` (a part of a longer line), text.

mod line;
mod reader;
mod writer;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use reader::LogOptions;

/// A file is closed at this size and the next one begun.
pub(crate) const FILE_BYTES_MAX: u64 = 10 << 20;
/// Files kept of one run, the one being written included.
pub(crate) const FILES_MAX: usize = 2;
/// The longest text of one stored line; a longer one becomes several parts.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 10;

/// The clock that stamps lines.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Every container's log. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    clock: Clock,
    /// Where the writing is done.
    writers: Handle,
    /// A number for each run that is being written, which grows with what is written; it is gone when the run ends.
    live: Mutex<HashMap<LogId, watch::Sender<u64>>>,
    /// Those that read from containers, until they are to stop.
    readers: TaskTracker,
    stop: CancellationToken,
}

/// Names one run of one container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogId {
    /// The pod's uid.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// How many runs came before.
    pub run: u32,
}

impl Logs {
    /// Logs kept in `dir`, written on the runtime `writers`: a disk that is slow must not hold up the starts of
    /// containers, which the caller's own runtime is busy with.
    pub fn new(dir: impl Into<PathBuf>, clock: Clock, writers: Handle) -> Self {
        let (live, readers, stop) = (Mutex::default(), TaskTracker::new(), CancellationToken::new());
        Self { inner: Arc::new(Inner { dir: dir.into(), clock, writers, live, readers, stop }) }
    }

    /// Stops reading what containers write, and stores what has been read of their last lines. The rest stays in their
    /// pipes, for whoever goes on with them.
    pub async fn hand_over(&self) {
        self.inner.stop.cancel();
        self.inner.readers.close();
        self.inner.readers.wait().await;
    }

    /// Waits until all that a run wrote is stored, but at most so long: what the program started may outlive it, and
    /// hold its output open.
    pub(crate) async fn stored(&self, id: &LogId, at_most: Duration) {
        let Some(mut written) = self.inner.live.lock().get(id).map(watch::Sender::subscribe) else { return };
        let all = async { while written.changed().await.is_ok() {} };
        // What is not there by then is not waited for.
        let _ = timeout(at_most, all).await;
    }

    /// Takes nothing more of a pod: what its containers still write is dropped. Returns where its logs are, to be
    /// removed.
    pub(crate) fn forget(&self, pod: &str) -> PathBuf {
        self.inner.live.lock().retain(|id, _| id.pod != pod);
        self.inner.dir.join(pod)
    }

    /// Where each pod has a directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Whether the run is being written and its pod is there.
    fn is_live(&self, id: &LogId) -> bool {
        self.inner.live.lock().contains_key(id)
    }

    /// Deletes the logs of the container's runs but for the one that `id` names and the one before.
    fn remove_older(&self, id: &LogId) {
        let dir = self.inner.dir.join(&id.pod).join(&id.container);
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let run = name.to_str().and_then(|name| name.split('.').next()?.parse::<u32>().ok());
            if run.is_some_and(|run| run < id.run.saturating_sub(1))
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!(%error, file = %entry.path().display(), "could not delete the log of an older run");
            }
        }
    }

    /// The file being written (0) or an older one.
    fn file(&self, id: &LogId, age: usize) -> PathBuf {
        let name = if age == 0 { format!("{}.log", id.run) } else { format!("{}.log.{age}", id.run) };
        self.inner.dir.join(&id.pod).join(&id.container).join(name)
    }
}

#[cfg(test)]
mod tests;
