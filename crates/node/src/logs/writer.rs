//! From a container's two pipes to its log file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::fd::OwnedFd,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    FILE_BYTES_MAX, FILES_MAX, LINE_BYTES_MAX, LogId, Logs,
    line::{self, Stream},
};
use crate::private_dir;

/// Read at once from a pipe.
const CHUNK: usize = 16 << 10;
/// How long the beginning of a line waits for its end before it is stored as a part: what has been read from the pipe is
/// nowhere else, and a daemon that is killed loses it. Less, and every line that is written in two goes would be stored
/// as two.
const UNFINISHED_MAX: Duration = Duration::from_millis(100);

/// A run's two pipes: the write ends, for the container, and copies of the read ends, for who takes it over.
pub(crate) struct Pipes {
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) readers: [OwnedFd; 2],
}

impl Logs {
    /// Begins the log of a run: returns the pipes to give to the container, and the task that empties them, which ends
    /// when all writers are gone.
    pub(crate) fn begin(&self, id: LogId) -> io::Result<(Pipes, JoinHandle<()>)> {
        let (out_read, stdout) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (err_read, stderr) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let readers = [out_read.try_clone()?, err_read.try_clone()?];
        let work = self.resume(id, [out_read, err_read])?;
        Ok((Pipes { stdout, stderr, readers }, work))
    }

    /// Goes on with the log of a run whose pipes somebody else has read so far; otherwise as [`Logs::begin`].
    pub(crate) fn resume(&self, id: LogId, [stdout, stderr]: [OwnedFd; 2]) -> io::Result<JoinHandle<()>> {
        for end in [&stdout, &stderr] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        // They are watched by the runtime that reads them.
        let _writers = self.inner.writers.enter();
        let readers = (pipe::Receiver::from_owned_fd(stdout)?, pipe::Receiver::from_owned_fd(stderr)?);
        let (written, _) = watch::channel(0);
        self.inner.live.lock().insert(id.clone(), written.clone());
        let logs = self.clone();
        let reader = self.inner.readers.token();
        Ok(tokio::spawn(async move {
            let _reader = reader;
            logs.remove_older(&id);
            if let Err(error) = copy(&logs, &id, readers, &written).await {
                tracing::warn!(pod = id.pod, container = id.container, %error, "the container's log is incomplete");
            }
            logs.inner.live.lock().remove(&id);
        }))
    }
}

async fn copy(
    logs: &Logs,
    id: &LogId,
    (mut stdout, mut stderr): (pipe::Receiver, pipe::Receiver),
    written: &watch::Sender<u64>,
) -> io::Result<()> {
    let mut file = LogFile::default();
    let mut dropped = 0;
    let mut unfinished = [Unfinished::default(), Unfinished::default()];
    let mut store_at = None;
    let mut open = [true, true];
    let (mut out_chunk, mut err_chunk) = (vec![0; CHUNK], vec![0; CHUNK]);
    while open[0] || open[1] {
        let now = || (logs.inner.clock)();
        let read = tokio::select! {
            read = stdout.read(&mut out_chunk), if open[0] => Some((0, read?)),
            read = stderr.read(&mut err_chunk), if open[1] => Some((1, read?)),
            () = sleep_until(store_at.unwrap_or_else(Instant::now)), if store_at.is_some() => None,
            () = logs.inner.stop.cancelled() => {
                let rest = parts(&mut unfinished, now);
                return if rest.is_empty() { Ok(()) } else { file.write(logs, id, &rest) };
            }
        };
        let lines = match read {
            Some((index, read)) => {
                open[index] = read > 0;
                let chunk = if index == 0 { &out_chunk[..read] } else { &err_chunk[..read] };
                let mut lines = Vec::new();
                unfinished[index]
                    .take(chunk, |whole, text| line::write(&mut lines, now(), STREAMS[index], whole, text));
                lines
            }
            None => parts(&mut unfinished, now),
        };
        let waits = unfinished.iter().any(|line| !line.text.is_empty());
        store_at = waits.then(|| store_at.unwrap_or_else(|| Instant::now() + UNFINISHED_MAX));
        if !lines.is_empty() {
            match file.write(logs, id, &lines) {
                Ok(()) => written.send_modify(|count| *count += 1),
                // The pipe is emptied all the same: a full disk must not end or hold up the container.
                Err(error) => {
                    if dropped == 0 && logs.is_live(id) {
                        tracing::warn!(
                            pod = id.pod, container = id.container, %error,
                            "could not write a container's log; what it writes is dropped until there is room"
                        );
                    }
                    dropped += lines.len() as u64;
                }
            }
        }
    }
    if dropped > 0 {
        tracing::info!(
            pod = id.pod,
            container = id.container,
            bytes = dropped,
            "a part of the log was dropped"
        );
    }
    Ok(())
}

const STREAMS: [Stream; 2] = [Stream::Out, Stream::Err];

/// A stream's last line, which has no end yet.
#[derive(Default)]
struct Unfinished {
    text: Vec<u8>,
    /// Its beginning is stored already.
    begun: bool,
}

impl Unfinished {
    /// Cuts a chunk into lines, and those that are too long into parts; the empty chunk is the end of the last line.
    fn take(&mut self, chunk: &[u8], mut write: impl FnMut(bool, &[u8])) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            self.text.extend_from_slice(text);
            while self.text.len() > LINE_BYTES_MAX {
                write(false, &self.text[..LINE_BYTES_MAX]);
                self.text.drain(..LINE_BYTES_MAX);
                self.begun = true;
            }
            if ended {
                write(true, &self.text);
                *self = Self::default();
            }
        }
        if chunk.is_empty() && (self.begun || !self.text.is_empty()) {
            write(true, &self.text);
            *self = Self::default();
        }
    }
}

/// What there is of both streams' last lines, as parts of them.
fn parts(unfinished: &mut [Unfinished; 2], now: impl Fn() -> Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    for (stream, line) in STREAMS.into_iter().zip(unfinished) {
        if !line.text.is_empty() {
            line::write(&mut out, now(), stream, false, &line.text);
            (line.begun, line.text) = (true, Vec::new());
        }
    }
    out
}

/// The file being written; opened with the first line, and again after a failure.
#[derive(Default)]
struct LogFile {
    open: Option<OpenFile>,
}

struct OpenFile {
    file: File,
    bytes: u64,
}

impl LogFile {
    /// Appends whole lines: all of them or none.
    fn write(&mut self, logs: &Logs, id: &LogId, lines: &[u8]) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => OpenFile::create(logs, id)?,
        };
        if open.bytes + lines.len() as u64 > FILE_BYTES_MAX && open.bytes > 0 {
            for age in (1..FILES_MAX).rev() {
                fs::rename(logs.file(id, age - 1), logs.file(id, age))?;
            }
            open = OpenFile::create(logs, id)?;
        }
        if let Err(error) = open.file.write_all(lines) {
            // The next line must not continue a torn one.
            open.file.set_len(open.bytes)?;
            return Err(error);
        }
        open.bytes += lines.len() as u64;
        self.open = Some(open);
        Ok(())
    }
}

impl OpenFile {
    fn create(logs: &Logs, id: &LogId) -> io::Result<Self> {
        if !logs.is_live(id) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the pod's logs have been removed"));
        }
        private_dir::make(&logs.inner.dir)?;
        let path = logs.file(id, 0);
        private_dir::make(path.parent().unwrap_or(&logs.inner.dir))?;
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }
}
