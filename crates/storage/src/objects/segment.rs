//! A segment: one file of the log. A header, then frames.
//!
//! ```text
//!   0  u64  magic                 16  u64  last version before this segment
//!   8  u32  format                24  u64  last version reserved before it
//!  12  u32  the segment's number  32  u32  id of the key that seals in it, or 0
//!                                36  u32  CRC-32C of bytes 0–35
//! ```
//!
//! Format 1 had no sealed values. Format 2 is the same with them: what reads 2 reads 1, and compaction writes anew what is
//! not of the present format and key, so that an old key is needed no longer than that lasts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    frame::{self, Marks, Position},
    hint::Hint,
    record::{u32_at, u64_at},
    seal::KeyId,
};
use crate::{
    Error, Result,
    error::IoContext,
    fs::{File, FileSystem},
};

pub(super) const HEADER: usize = 40;
const MAGIC: [u8; 8] = *b"EbbObjs\0";
/// What is written, and the oldest that is read.
const FORMAT: u32 = 2;
const FORMAT_MIN: u32 = 1;

pub(super) fn path(dir: &Path, id: u32) -> PathBuf {
    dir.join(format!("{id:08}.segment"))
}

pub(super) fn hint_path(dir: &Path, id: u32) -> PathBuf {
    dir.join(format!("{id:08}.hint"))
}

/// The number of the segment that a file name is of.
pub(super) fn id_of(name: &str, extension: &str) -> Option<u32> {
    name.strip_suffix(extension)?.parse().ok()
}

/// What the records of a segment are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    format: u32,
    /// The key that seals in it.
    pub(super) key: Option<KeyId>,
}

impl Form {
    /// What is written now, sealed with this key.
    pub(super) fn present(key: Option<KeyId>) -> Self {
        Self { format: FORMAT, key }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::present(None)
    }
}

fn encode_header(id: u32, marks: Marks, form: Form) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&form.format.to_le_bytes());
    header[12..16].copy_from_slice(&id.to_le_bytes());
    header[16..24].copy_from_slice(&marks.last.to_le_bytes());
    header[24..32].copy_from_slice(&marks.reserved.to_le_bytes());
    header[32..36].copy_from_slice(&KeyId::code(form.key).to_le_bytes());
    let crc = crc32c::crc32c(&header[..36]);
    header[36..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// The marks in the header of segment `id`, and what its records are like.
pub(super) fn decode_header(header: &[u8; HEADER], id: u32, path: &Path) -> Result<(Marks, Form)> {
    let corrupt = |reason| Error::Corrupt { path: path.to_owned(), offset: 0, reason };
    if header[..8] != MAGIC {
        return Err(corrupt("not a segment"));
    }
    // The format comes before the checksum: another format may have another header.
    let found = u32_at(header, 8);
    if !(FORMAT_MIN..=FORMAT).contains(&found) {
        return Err(Error::UnknownFormat { path: path.to_owned(), found, known: FORMAT });
    }
    if crc32c::crc32c(&header[..36]) != u32_at(header, 36) {
        return Err(corrupt("the header's checksum does not match"));
    }
    if u32_at(header, 12) != id {
        return Err(corrupt("the segment was renamed"));
    }
    let marks = Marks { last: u64_at(header, 16), reserved: u64_at(header, 24), clean: false };
    Ok((marks, Form { format: found, key: KeyId::from_code(u32_at(header, 32)) }))
}

/// The segment that is being written.
pub(super) struct Active {
    pub(super) id: u32,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    pub(super) len: u64,
    /// Covers all that is durable.
    pub(super) hint: Hint,
}

impl Active {
    /// Begins segment `id`, durably.
    pub(super) fn create(fs: &dyn FileSystem, dir: &Path, id: u32, marks: Marks, form: Form) -> Result<Self> {
        let path = path(dir, id);
        let marks = Marks { clean: false, ..marks };
        let file = put_in_place(fs, dir, &path, &encode_header(id, marks, form))?;
        Ok(Self { id, path, file, len: HEADER as u64, hint: Hint::new(id, HEADER as u64, marks) })
    }

    /// Writes and syncs one frame; gives its offset.
    pub(super) fn commit(&mut self, frame: &mut frame::Builder, marks: Marks) -> Result<u64> {
        let position = Position { segment: self.id, offset: self.len };
        let len = frame.body_len();
        let too_large = || Error::TooLarge { what: "commit", len, limit: u32::MAX as usize };
        let bytes = frame.finish(position, marks).ok_or_else(too_large)?;
        let end = self.len + bytes.len() as u64;
        if u32::try_from(end).is_err() {
            return Err(too_large());
        }
        self.file.append(bytes).context("write", &self.path)?;
        self.file.sync_data().context("sync", &self.path)?;
        self.len = end;
        self.hint.marks = marks;
        self.hint.covered = end;
        Ok(position.offset)
    }
}

/// Writes the first `len` bytes of a segment anew and puts the result in its place, durably.
///
/// For the last segment after a crash. What it ends with may be in the system's memory only; and after a failed sync
/// it may read well there and never reach the disk, whatever is synced later. Only bytes written again are sure.
pub(super) fn rewrite(
    fs: &dyn FileSystem,
    dir: &Path,
    id: u32,
    old: &dyn File,
    len: u64,
) -> Result<Arc<dyn File>> {
    let path = path(dir, id);
    let bytes = read(old, 0, len).context("read", &path)?;
    put_in_place(fs, dir, &path, &bytes)
}

/// Makes a file with these bytes, durably: it is there whole or not at all.
fn put_in_place(fs: &dyn FileSystem, dir: &Path, path: &Path, bytes: &[u8]) -> Result<Arc<dyn File>> {
    let new = new_path(path);
    let file = fs.create(&new).context("create", &new)?;
    file.append(bytes).context("write", &new)?;
    file.sync_data().context("sync", &new)?;
    fs.rename(&new, path).context("rename", &new)?;
    fs.sync_dir(dir).context("sync", dir)?;
    Ok(file)
}

/// Writes a hint beside its segment. Not synced: a hint may be lost.
pub(super) fn write_hint(fs: &dyn FileSystem, dir: &Path, id: u32, hint: &Hint) -> Result<()> {
    let bytes = hint.encode();
    let path = hint_path(dir, id);
    let new = new_path(&path);
    let file = fs.create(&new).context("create", &new)?;
    file.append(&bytes).context("write", &new)?;
    fs.rename(&new, &path).context("rename", &new)
}

/// Where a file is written before it takes its place. Opening removes what a crash has left there.
fn new_path(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

/// The hint of segment `id`, if there is one that fits.
pub(super) fn read_hint(fs: &dyn FileSystem, dir: &Path, id: u32, segment_len: u64) -> Option<Hint> {
    let file = fs.open(&hint_path(dir, id)).ok()?;
    let bytes = read(&*file, 0, file.size().ok()?).ok()?;
    Hint::decode(bytes, id, segment_len)
}

/// The bytes of `file` from `from` to `to`.
pub(super) fn read(file: &dyn File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let len = usize::try_from(to.saturating_sub(from)).map_err(std::io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, from)?;
    Ok(bytes)
}
