//! The thread that writes, and the files it writes to.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc::Receiver},
};

use super::Counts;
use crate::{Error, Result};

/// Bytes that are written at once.
const BATCH_BYTES: usize = 64 << 10;

pub(super) struct Writer {
    pub(super) events: Receiver<String>,
    pub(super) files: Files,
    pub(super) counts: Arc<Counts>,
}

/// A file, and those that it was before.
pub(super) struct Files {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    files_max: usize,
    /// Whether the last line may be a part of one.
    broken: bool,
}

impl Writer {
    /// Writes until nobody sends any more.
    pub(super) fn run(mut self) {
        let mut failing = false;
        while let Ok(first) = self.events.recv() {
            let (mut batch, mut lines) = (first, 1);
            while batch.len() < BATCH_BYTES
                && let Ok(event) = self.events.try_recv()
            {
                // A line that would begin a new file is left for it.
                if self.files.is_full_with(batch.len() + event.len()) {
                    self.write(&batch, lines, &mut failing);
                    (batch, lines) = (event, 1);
                } else {
                    batch.push_str(&event);
                    lines += 1;
                }
            }
            self.write(&batch, lines, &mut failing);
        }
    }

    fn write(&mut self, batch: &str, lines: u64, failing: &mut bool) {
        self.counts.queued_bytes.fetch_sub(batch.len(), Ordering::Relaxed);
        let written = self.files.write(batch);
        if let Err(error) = &written {
            self.counts.lost.fetch_add(lines, Ordering::Relaxed);
            // Once, and not with each line.
            if !std::mem::replace(failing, true) {
                let path = self.files.path.display();
                tracing::error!(
                    %error, %path,
                    "the audit log cannot be written: requests go on, and their events are lost until it can"
                );
            }
            return;
        }
        *failing = false;
        let lost = self.counts.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(lost, "events are missing in the audit log");
        }
    }
}

impl Files {
    pub(super) fn open(path: PathBuf, bytes_max: u64, files_max: usize) -> Result<Self> {
        let opened = open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) =
            opened.map_err(|source| Error::File { action: "open", path: path.clone(), source })?;
        Ok(Self { path, file, bytes, bytes_max, files_max, broken: false })
    }

    /// Whether so many bytes more are too many for the file as it is.
    fn is_full_with(&self, bytes: usize) -> bool {
        self.bytes > 0 && self.bytes + bytes as u64 > self.bytes_max
            || self.bytes == 0 && bytes as u64 > self.bytes_max
    }

    fn write(&mut self, batch: &str) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + batch.len() as u64 > self.bytes_max {
            self.turn()?;
        }
        if self.broken {
            self.file.write_all(b"\n")?;
            self.bytes += 1;
        }
        self.broken = true;
        self.file.write_all(batch.as_bytes())?;
        self.broken = false;
        self.bytes += batch.len() as u64;
        Ok(())
    }

    /// The file becomes the first of the old ones, of which the oldest goes.
    fn turn(&mut self) -> io::Result<()> {
        let old = |number: usize| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        let kept = self.files_max.saturating_sub(1);
        for number in (1..kept).rev() {
            match std::fs::rename(old(number), old(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match kept {
            0 => std::fs::remove_file(&self.path)?,
            _ => std::fs::rename(&self.path, old(1))?,
        }
        self.file = open(&self.path)?;
        (self.bytes, self.broken) = (0, false);
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
