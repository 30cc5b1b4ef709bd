//! From log files to `kubectl logs`.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
};

use bytes::Bytes;
use futures::{Stream, stream};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{FILES_MAX, LogId, Logs, line};

/// Read at once while following.
const CHUNK: u64 = 64 << 10;

/// What of a log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on while the container runs.
    pub follow: bool,
    /// Only so many lines from the end.
    pub tail_lines: Option<usize>,
    /// Only lines from then on.
    pub since: Option<Timestamp>,
    /// Put each line's time before it.
    pub timestamps: bool,
    /// At most so many bytes.
    pub limit_bytes: Option<u64>,
}

struct State {
    logs: Logs,
    id: LogId,
    options: LogOptions,
    written: Option<watch::Receiver<u64>>,
    first: Option<Vec<u8>>,
    position: Option<Position>,
    left: u64,
}

/// Where a follower stands: in which file (by inode) and how far.
struct Position {
    file: BufReader<File>,
    /// What has been read of a stored line without its end.
    rest: Vec<u8>,
    /// What was shown last is a part of a line: what follows goes on with it.
    within: bool,
}

impl Logs {
    /// The log of a run in chunks of whole lines. An unknown run is empty.
    pub fn read(
        &self,
        id: &LogId,
        options: LogOptions,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let left = options.limit_bytes.unwrap_or(u64::MAX);
        // Subscribed before the first read, so that nothing written in between is missed.
        let written = self.inner.live.lock().get(id).map(watch::Sender::subscribe).filter(|_| options.follow);
        let state =
            State { logs: self.clone(), id: id.clone(), first: None, position: None, written, options, left };
        stream::try_unfold(state, |mut state| async move {
            let chunk = state.next().await?;
            Ok(chunk.map(|chunk| (chunk, state)))
        })
    }

    /// The last lines of a run's text, for a termination message.
    pub(crate) fn tail(&self, id: &LogId, lines: usize, bytes: usize) -> String {
        let options = LogOptions { tail_lines: Some(lines), ..LogOptions::default() };
        let text = stored(self, id, &options).map(|(text, _)| text).unwrap_or_default();
        let from = text.len().saturating_sub(bytes);
        String::from_utf8_lossy(&text[from..]).into_owned()
    }
}

impl State {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.position.is_none() && self.first.is_none() {
            let (logs, id, options) = (self.logs.clone(), self.id.clone(), self.options.clone());
            // As much as two whole files, for which nobody else on this thread shall wait.
            let read = tokio::task::spawn_blocking(move || stored(&logs, &id, &options));
            let (text, position) = read.await.map_err(io::Error::other).flatten()?;
            self.position = position;
            self.first = Some(Vec::new());
            if !text.is_empty() {
                return Ok(Some(self.cut(text)));
            }
        }
        loop {
            let Some(written) = &mut self.written else { return Ok(None) };
            let open = written.changed().await.is_ok();
            let text = self.more()?;
            if !open {
                self.written = None;
            }
            if !text.is_empty() {
                return Ok(Some(self.cut(text)));
            }
        }
    }

    fn cut(&mut self, mut text: Vec<u8>) -> Bytes {
        text.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= text.len() as u64;
        text.into()
    }

    /// What has been written since the last read, also across a change of files.
    fn more(&mut self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        if let Some(position) = &mut self.position {
            position.read(&self.options, &mut out)?;
        }
        let path = self.logs.file(&self.id, 0);
        if out.is_empty() && is_other(&path, self.position.as_ref())? {
            let within = self.position.as_ref().is_some_and(|position| position.within);
            let file = BufReader::new(File::open(&path)?);
            let mut position = Position { file, rest: Vec::new(), within };
            position.read(&self.options, &mut out)?;
            self.position = Some(position);
        }
        Ok(out)
    }
}

impl Position {
    fn read(&mut self, options: &LogOptions, out: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let read = (&mut self.file).take(CHUNK).read_until(b'\n', &mut self.rest)?;
            if read == 0 {
                return Ok(());
            }
            if self.rest.last() == Some(&b'\n') {
                show(&self.rest[..self.rest.len() - 1], options, &mut self.within, out);
                self.rest.clear();
            }
        }
    }
}

fn is_other(path: &std::path::Path, position: Option<&Position>) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let current = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match position {
        Some(position) => Ok(position.file.get_ref().metadata()?.ino() != current.ino()),
        None => Ok(true),
    }
}

/// What is stored now as text, and where it ends.
fn stored(logs: &Logs, id: &LogId, options: &LogOptions) -> io::Result<(Vec<u8>, Option<Position>)> {
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    let (mut last, mut within) = (None, false);
    for age in (0..FILES_MAX).rev() {
        let mut file = match File::open(logs.file(id, age)) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let mut line = Vec::new();
        let mut at = 0;
        while file.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
            at += line.len() as u64;
            let (mut text, goes_on) = (Vec::new(), within);
            show(&line[..line.len() - 1], options, &mut within, &mut text);
            match kept.back_mut() {
                Some(begun) if goes_on => begun.append(&mut text),
                _ if text.is_empty() => {}
                _ => kept.push_back(text),
            }
            if options.tail_lines.is_some_and(|lines| kept.len() > lines) {
                kept.pop_front();
            }
            line.clear();
        }
        file.seek(SeekFrom::Start(at))?;
        last = Some(Position { file, rest: Vec::new(), within });
    }
    Ok((kept.into_iter().flatten().collect(), last))
}

/// Appends a stored line as the user sees it; `within` a line that has begun before, it goes on with that one.
fn show(stored: &[u8], options: &LogOptions, within: &mut bool, out: &mut Vec<u8>) {
    let Some(line) = line::parse(stored) else { return };
    if options.since.is_some_and(|since| line.at < since) {
        return;
    }
    if options.timestamps && !*within {
        out.extend_from_slice(line.stamp.as_bytes());
        out.push(b' ');
    }
    out.extend_from_slice(line.text);
    *within = !line.whole;
    if line.whole {
        out.push(b'\n');
    }
}
