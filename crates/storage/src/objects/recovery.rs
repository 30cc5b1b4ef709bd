//! Opening a directory: from files to an index, and the segment to go on with.

use std::path::Path;

use super::{
    frame::{self, Marks},
    hint,
    index::Index,
    options::Options,
    replay,
    segment::{self, Active},
    value::Version,
};
use crate::{Error, Result, error::IoContext, events, fs::FileSystem};

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
/// versions.
pub(super) fn open(fs: &dyn FileSystem, dir: &Path, options: &Options) -> Result<Opened> {
    let ids = tidy(fs, dir)?;
    let mut index = Index::default();
    let mut active = None;
    let begin = options.begin_after;
    let mut marks = Marks { last: begin, reserved: begin, clean: true };
    for (i, id) in ids.iter().enumerate() {
        let segment = read_segment(fs, dir, *id, i + 1 == ids.len(), &mut index)?;
        marks = segment.hint.marks;
        active = Some(segment);
    }
    let next = marks.reserved + 1;
    let recovered = Recovered { last_durable: marks.last, next, clean: marks.clean, keys: index.len() };

    marks = Marks { reserved: marks.reserved + options.version_block, clean: false, ..marks };
    let mut active = match active {
        Some(active) if active.len < options.segment_bytes_max => active,
        full => {
            let id = full.map_or(1, |full| full.id + 1);
            let active = Active::create(fs, dir, id, marks)?;
            index.ledger.add(id, active.file.clone(), active.len, 0);
            active
        }
    };
    // The reservation: a frame without records.
    active.commit(&mut frame::Builder::new(), marks)?;
    index.ledger.get_mut(active.id).len = active.len;
    Ok(Opened { index, active, recovered })
}

/// The segments in order. Removes what a crash can leave half-made: hints without a segment, files being written.
fn tidy(fs: &dyn FileSystem, dir: &Path) -> Result<Vec<u32>> {
    let names = fs.list(dir).context("list", dir)?;
    let mut ids: Vec<u32> = names.iter().filter_map(|name| segment::id_of(name, ".segment")).collect();
    ids.sort_unstable();
    for name in &names {
        let orphan = segment::id_of(name, ".hint").is_some_and(|id| ids.binary_search(&id).is_err());
        if orphan || name.ends_with(".new") {
            let path = dir.join(name);
            fs.remove(&path).context("remove", &path)?;
        }
    }
    Ok(ids)
}

/// Reads one segment into the index, from its hint as far as that goes.
fn read_segment(
    fs: &dyn FileSystem,
    dir: &Path,
    id: u32,
    is_last: bool,
    index: &mut Index,
) -> Result<Active> {
    let path = segment::path(dir, id);
    let mut file = fs.open(&path).context("open", &path)?;
    let mut len = file.size().context("read", &path)?;
    let corrupt = |offset, reason| Error::Corrupt { path: path.clone(), offset, reason };

    let mut header = [0; segment::HEADER];
    if len < header.len() as u64 {
        return Err(corrupt(len, "the header is cut short"));
    }
    file.read_at(&mut header, 0).context("read", &path)?;
    let marks = segment::decode_header(&header, id, &path)?;

    let hint = segment::read_hint(fs, dir, id, len);
    let mut hint = hint.unwrap_or_else(|| hint::Hint::new(id, header.len() as u64, marks));
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
    if is_last && !was_closed {
        len = hint.covered;
        file = segment::rewrite(fs, dir, id, &*file, len)?;
    }
    if !is_last && hint.covered > hinted {
        segment::write_hint(fs, dir, id, &hint)?;
    }
    let hint_len = if is_last { 0 } else { hint.encoded_len() };

    index.ledger.add(id, file.clone(), len, hint_len);
    let mut cursor = hint::Cursor::default();
    while let Some(entry) = hint.next(&mut cursor) {
        index.restore(&entry);
    }
    Ok(Active { id, path, file, len, hint })
}
