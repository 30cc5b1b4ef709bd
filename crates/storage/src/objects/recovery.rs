//! Opening a directory: from files to an index, and the segment to go on with.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    frame::{self, Marks},
    hint::{self, Hint},
    index::Index,
    options::Options,
    replay,
    seal::{KeyId, Sealing},
    segment::{self, Active, Form},
    value::Version,
};
use crate::{
    Error, Result,
    error::IoContext,
    events,
    fs::{File, FileSystem},
};

/// What was found in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// P: every change up to this version is there, and nothing of any later one.
    pub last_durable: Version,
    /// B: the version of the next change; greater than any ever handed out. After a crash versions between P and B
    /// may have been seen by somebody, and their changes are lost.
    pub next: Version,
    /// The store was closed in order: nothing was lost, no version skipped.
    pub clean: bool,
    /// Number of keys.
    pub keys: usize,
}

pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) active: Active,
    pub(super) recovered: Recovered,
}

/// Reads the log, cuts off a torn tail, makes sure that what is left is durable, and reserves the next block of
/// versions. Nothing is changed until all has been read: what is refused is left as it is.
pub(super) fn open(fs: &dyn FileSystem, dir: &Path, options: &Options) -> Result<Opened> {
    let names = fs.list(dir).context("list", dir)?;
    let ids = segments(&names);
    let mut index = Index::default();
    index.ledger.form = options.form();
    let begin = options.begin_after;
    let mut marks = Marks { last: begin, reserved: begin, clean: true };
    let (mut last, mut new_hints) = (None, Vec::new());
    for id in &ids {
        let is_last = ids.last() == Some(id);
        let segment = Segment::read(fs, dir, *id, is_last, options.sealing.as_ref())?;
        segment.enter(&mut index);
        marks = segment.hint.marks;
        if is_last {
            last = Some(segment);
        } else if segment.hint.covered > segment.hinted {
            new_hints.push((*id, segment.hint));
        }
    }
    let next = marks.reserved + 1;
    let recovered = Recovered { last_durable: marks.last, next, clean: marks.clean, keys: index.len() };

    tidy(fs, dir, &names, &ids)?;
    for (id, hint) in new_hints {
        segment::write_hint(fs, dir, id, &hint)?;
    }
    marks = Marks { reserved: marks.reserved + options.version_block, clean: false, ..marks };
    let form = options.form();
    let mut active = match last.map(|last| last.go_on(fs, dir, &mut index)).transpose()? {
        Some((active, its)) if active.len < options.segment_bytes_max && its == form => active,
        full => {
            let id = full.map_or(1, |(full, _)| full.id + 1);
            let active = Active::create(fs, dir, id, marks, form)?;
            index.ledger.add(id, active.file.clone(), active.len, form);
            active
        }
    };
    // The reservation: a frame without records.
    active.commit(&mut frame::Builder::new(), marks)?;
    index.ledger.get_mut(active.id).len = active.len;
    if index.ledger.stale() > 0 {
        events::rewriting(dir, index.ledger.stale());
    }
    Ok(Opened { index, active, recovered })
}

/// The keys that segments say their records are sealed with; none where there is no directory.
pub(super) fn sealed_with(fs: &dyn FileSystem, dir: &Path) -> Result<BTreeSet<KeyId>> {
    let names = match fs.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.context("list", dir)?,
    };
    let mut keys = BTreeSet::new();
    for id in segments(&names) {
        let path = segment::path(dir, id);
        let file = fs.open(&path).context("open", &path)?;
        let (_, form) = read_header(&*file, id, &path)?;
        keys.extend(form.key);
    }
    Ok(keys)
}

/// The numbers of the segments, in order.
fn segments(names: &[String]) -> Vec<u32> {
    let mut ids: Vec<u32> = names.iter().filter_map(|name| segment::id_of(name, ".segment")).collect();
    ids.sort_unstable();
    ids
}

fn read_header(file: &dyn File, id: u32, path: &Path) -> Result<(Marks, Form)> {
    let len = file.size().context("read", path)?;
    let mut header = [0; segment::HEADER];
    if len < header.len() as u64 {
        let reason = "the header is cut short";
        return Err(Error::Corrupt { path: path.to_owned(), offset: len, reason });
    }
    file.read_at(&mut header, 0).context("read", path)?;
    segment::decode_header(&header, id, path)
}

/// Removes what a crash can leave half-made: hints without a segment, files being written.
fn tidy(fs: &dyn FileSystem, dir: &Path, names: &[String], ids: &[u32]) -> Result<()> {
    for name in names {
        let orphan = segment::id_of(name, ".hint").is_some_and(|id| ids.binary_search(&id).is_err());
        if orphan || name.ends_with(".new") {
            let path = dir.join(name);
            fs.remove(&path).context("remove", &path)?;
        }
    }
    Ok(())
}

/// A segment as it was found.
struct Segment {
    id: u32,
    path: PathBuf,
    file: Arc<dyn File>,
    form: Form,
    len: u64,
    hint: Hint,
    /// So far went the hint that was found.
    hinted: u64,
    /// It ends with the frame that closing wrote.
    was_closed: bool,
}

impl Segment {
    /// Reads a segment, from its hint as far as that goes.
    fn read(
        fs: &dyn FileSystem,
        dir: &Path,
        id: u32,
        is_last: bool,
        sealing: Option<&Sealing>,
    ) -> Result<Self> {
        let path = segment::path(dir, id);
        let file = fs.open(&path).context("open", &path)?;
        let len = file.size().context("read", &path)?;
        let corrupt = |offset, reason| Error::Corrupt { path: path.clone(), offset, reason };

        let (marks, form) = read_header(&*file, id, &path)?;
        if let Some(key) = form.key
            && sealing.is_none_or(|sealing| sealing.key(key).is_none())
        {
            return Err(Error::KeyMissing { path, id: key });
        }

        let hint = segment::read_hint(fs, dir, id, len);
        let mut hint = hint.unwrap_or_else(|| Hint::new(id, segment::HEADER as u64, marks));
        let hinted = hint.covered;
        // A hint is written after the sync of what it covers.
        let was_closed = hinted == len && hint.marks.clean;
        let rest = segment::read(&*file, hinted, len).context("read", &path)?;
        if let Err(damage) = replay::replay(&mut hint, id, &rest) {
            if damage.was_synced || !is_last {
                return Err(corrupt(damage.offset, damage.reason));
            }
            events::torn_tail_cut_off(&path, hint.covered, len - hint.covered);
            hint.marks.clean = false;
        }
        Ok(Self { id, path, file, form, len: hint.covered, hint, hinted, was_closed })
    }

    fn enter(&self, index: &mut Index) {
        index.ledger.add(self.id, self.file.clone(), self.len, self.form);
        index.ledger.get_mut(self.id).hint_len = self.hint.encoded_len();
        let mut cursor = hint::Cursor::default();
        while let Some(entry) = self.hint.next(&mut cursor) {
            index.restore(&entry);
        }
    }

    /// Makes it the one that is written, with all that is in it durable.
    fn go_on(self, fs: &dyn FileSystem, dir: &Path, index: &mut Index) -> Result<(Active, Form)> {
        let Self { id, path, mut file, form, len, hint, was_closed, .. } = self;
        if !was_closed {
            file = segment::rewrite(fs, dir, id, &*file, len)?;
        }
        let entry = index.ledger.get_mut(id);
        entry.file = file.clone();
        entry.hint_len = 0;
        Ok((Active { id, path, file, len, hint }, form))
    }
}
