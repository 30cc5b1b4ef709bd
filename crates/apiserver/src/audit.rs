//! The audit log: who asked for what, and what became of it. Off unless a file is named.
//!
//! ```text
//!   request ─► Request (before it is routed) ─► Event, at its answer ─► queue ─► a thread of its own ─► FILE
//!                                                                         │                              │ full: FILE.1, …
//!                                                                         └─ full: the event is lost ────┘ and so is told
//! ```
//!
//! A line is an `Event` of `audit.k8s.io/v1` at level `Metadata`: neither bodies nor the messages of errors, which may
//! quote them, are in it. A watch has its line when it begins. No request waits for the file: where the disk is full or
//! slow, events are lost and requests go on, and the program's own log says how many were lost.

mod event;
mod writer;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use parking_lot::Mutex;

pub(crate) use self::event::{Outcome, Request, Who};
use self::writer::{Files, Writer};
use crate::{Error, Result, limits::Limits};

/// What is counted on both sides of the queue.
#[derive(Debug, Default)]
struct Counts {
    queued_bytes: AtomicUsize,
    lost: AtomicU64,
}

/// Takes events; its file is written by a thread of its own.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// `None` once it is closed.
    open: Mutex<Option<(SyncSender<String>, JoinHandle<()>)>>,
    counts: Arc<Counts>,
    queue_bytes_max: usize,
}

impl Recorder {
    /// Opens the file, which is its owner's alone, and goes on behind what is in it.
    pub(crate) fn open(path: PathBuf, limits: &Limits) -> Result<Self> {
        let files = Files::open(path.clone(), limits.audit_file_bytes_max, limits.audit_files_max)?;
        let (queue, events) = sync_channel(limits.audit_queue_max);
        let counts = Arc::new(Counts::default());
        let writer = Writer { events, files, counts: Arc::clone(&counts) };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || writer.run());
        let thread = thread.map_err(|source| Error::File { action: "start to write", path, source })?;
        let open = Mutex::new(Some((queue, thread)));
        Ok(Self { open, counts, queue_bytes_max: limits.audit_queue_bytes_max })
    }

    /// Takes an event, if there is room for it.
    pub(crate) fn record(&self, event: String) {
        let bytes = event.len();
        let counts = &self.counts;
        let queued = counts.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = queued <= self.queue_bytes_max;
        let sent = fits && self.open.lock().as_ref().is_some_and(|(queue, _)| queue.try_send(event).is_ok());
        if !sent {
            counts.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what is queued; what comes later is lost. Blocks.
    pub(crate) fn close(&self) {
        let Some((queue, thread)) = self.open.lock().take() else { return };
        drop(queue);
        if thread.join().is_err() {
            tracing::error!("the thread of the audit log panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { audit_file_bytes_max: 100, audit_files_max: 3, ..Limits::default() }
    }

    /// What the files have, the newest first.
    fn written(recorder: &Recorder, dir: &std::path::Path) -> Vec<String> {
        recorder.close();
        let read = |name: &&str| std::fs::read_to_string(dir.join(name)).ok();
        ["log", "log.1", "log.2", "log.3"].iter().map_while(read).collect()
    }

    #[test]
    fn files_are_bounded_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(dir.path().join("log"), &limits()).unwrap();
        for number in 0..40 {
            recorder.record(format!("line {number:02}, of about thirty bytes\n"));
        }
        recorder.record("last\n".into());
        let files = written(&recorder, dir.path());
        assert_eq!(files.len(), 3, "{files:?}");
        assert!(files.iter().all(|text| text.len() <= 100), "{files:?}");
        assert!(files[2].starts_with("line 3"), "the newest are kept: {files:?}");
        // A log that is opened again goes on.
        let recorder = Recorder::open(dir.path().join("log"), &limits()).unwrap();
        recorder.record("last\n".into());
        assert!(written(&recorder, dir.path())[0].ends_with("last\nlast\n"));
    }

    #[test]
    fn what_does_not_fit_into_the_queue_is_lost_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { audit_queue_bytes_max: 10, ..limits() };
        let recorder = Recorder::open(dir.path().join("log"), &limits).unwrap();
        recorder.record("longer than the queue\n".into());
        assert_eq!(recorder.counts.lost.load(Ordering::Relaxed), 1);
        recorder.record("last\n".into());
        assert_eq!(written(&recorder, dir.path()), ["last\n"]);
    }
}
