//! A container that runs, as the daemon knows it.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::SystemTime;

use rustix::io::Errno;

use super::ExitReceiver;
use crate::runtime::protocol::Report;
use crate::runtime::{Result, RuntimeError, Started, sys};

/// A container that the keeper has started.
#[derive(Debug)]
pub(in crate::runtime) struct Running {
    pub(in crate::runtime) slot: u64,
    pub(in crate::runtime) pid: i32,
    /// Its program.
    pub(in crate::runtime) app: OwnedFd,
    /// The process whose death is the death of all of it; the same as `app` for a plain process.
    pub(in crate::runtime) init: OwnedFd,
    pub(in crate::runtime) exit: ExitReceiver,
    /// Its copied image, where overlays do not work.
    pub(in crate::runtime) copy: Option<PathBuf>,
    /// Where it may leave a message, which a plain process has not.
    pub(super) message: Option<File>,
    pub(super) report: Report,
}

impl Running {
    /// Sends a signal to the program; SIGKILL goes to all of it.
    pub(in crate::runtime) fn signal(&self, signal: i32) -> Result<()> {
        let target = if signal == libc::SIGKILL { &self.init } else { &self.app };
        match sys::send_signal(target.as_fd(), signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(RuntimeError::io(format!("sending signal {signal}"), errno)),
        }
    }

    /// What it has left as its message, at most so many bytes.
    pub(in crate::runtime) fn message(&self, at_most: usize) -> Result<Vec<u8>> {
        let Some(message) = &self.message else { return Ok(Vec::new()) };
        let mut text = vec![0; at_most];
        // In memory, so all that is there is read at once.
        let length = message.read_at(&mut text, 0);
        text.truncate(length.map_err(|error| RuntimeError::io("reading a container's message", error))?);
        Ok(text)
    }

    pub(in crate::runtime) fn started(&self) -> Started {
        let started_at = SystemTime::UNIX_EPOCH + self.report.started_at;
        Started { pid: self.pid, started_at, timings: self.report.timings }
    }
}
