//! A hint: what lies where in a segment, so that reopening needs not read the values. It covers a segment from its
//! beginning up to some frame's end; what follows is read from the segment itself. A hint that is missing, torn or
//! does not fit is ignored and made again: it is never synced, and nothing depends on it.
//!
//! ```text
//!   0  u64  magic            8  u32  format            12  u32  the segment's number
//!  16  u64  bytes covered   24  u64  last version      32  u64  last version reserved
//!  40  u32  1 if clean      44  u32  CRC-32C of all but these four bytes
//!  48       entries: u64 version, u32 offset, u32 length, u16 length of the key, u8 kind, u8 0, key
//! ```

use super::{
    frame::Marks,
    index::Place,
    record::{Kind, u16_at, u32_at, u64_at},
    value::Version,
};

const HEADER: usize = 48;
const ENTRY: usize = 20;
const MAGIC: [u8; 8] = *b"EbbHint\0";
const FORMAT: u32 = 1;

/// One record of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) place: Place,
    pub(super) key: &'a str,
}

/// What lies in a segment, in the order it lies there. Kept encoded: it is made for the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hint {
    segment: u32,
    /// The segment is described up to here.
    pub(super) covered: u64,
    /// The marks at `covered`.
    pub(super) marks: Marks,
    entries: Vec<u8>,
}

impl Hint {
    /// A hint for a segment of which only the header (up to `covered`) has been read.
    pub(super) fn new(segment: u32, covered: u64, marks: Marks) -> Self {
        Self { segment, covered, marks, entries: Vec::new() }
    }

    pub(super) fn push(&mut self, entry: &Entry<'_>) {
        let key_len = u16::try_from(entry.key.len()).expect("append refuses longer keys");
        self.entries.extend_from_slice(&entry.version.to_le_bytes());
        self.entries.extend_from_slice(&entry.place.offset.to_le_bytes());
        self.entries.extend_from_slice(&entry.place.len.to_le_bytes());
        self.entries.extend_from_slice(&key_len.to_le_bytes());
        self.entries.extend_from_slice(&[entry.kind.code(), 0]);
        self.entries.extend_from_slice(entry.key.as_bytes());
    }

    pub(super) fn encoded_len(&self) -> u64 {
        (HEADER + self.entries.len()) as u64
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER + self.entries.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.covered.to_le_bytes());
        out.extend_from_slice(&self.marks.last.to_le_bytes());
        out.extend_from_slice(&self.marks.reserved.to_le_bytes());
        out.extend_from_slice(&u32::from(self.marks.clean).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.entries);
        let crc = checksum(&out);
        out[44..HEADER].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the hint of a segment that is `segment_len` bytes long; `None` if these bytes are not one.
    pub(super) fn decode(mut bytes: Vec<u8>, segment: u32, segment_len: u64) -> Option<Self> {
        let fits = bytes.len() >= HEADER
            && bytes[..8] == MAGIC
            && u32_at(&bytes, 8) == FORMAT
            && u32_at(&bytes, 12) == segment
            && u64_at(&bytes, 16) <= segment_len
            && u32_at(&bytes, 44) == checksum(&bytes);
        if !fits {
            return None;
        }
        let covered = u64_at(&bytes, 16);
        let marks =
            Marks { last: u64_at(&bytes, 24), reserved: u64_at(&bytes, 32), clean: u32_at(&bytes, 40) == 1 };
        bytes.drain(..HEADER);
        let hint = Self { segment, covered, marks, entries: bytes };
        let mut cursor = Cursor::default();
        while hint.next(&mut cursor).is_some() {}
        (cursor.at == hint.entries.len()).then_some(hint)
    }

    /// The entry at `cursor`, which moves behind it.
    pub(super) fn next(&self, cursor: &mut Cursor) -> Option<Entry<'_>> {
        let header = self.entries.get(cursor.at..)?.first_chunk::<ENTRY>()?;
        let key_at = cursor.at + ENTRY;
        let key_end = key_at + usize::from(u16_at(header, 16));
        let key = std::str::from_utf8(self.entries.get(key_at..key_end)?).ok()?;
        let place = Place { segment: self.segment, offset: u32_at(header, 8), len: u32_at(header, 12) };
        let entry = Entry { kind: Kind::from_code(header[18])?, version: u64_at(header, 0), place, key };
        cursor.at = key_end;
        Some(entry)
    }
}

/// A place among a hint's entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    at: usize,
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..44]), &bytes[HEADER..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_reads_back_whole_or_not_at_all() {
        let marks = Marks { last: 8, reserved: 100, clean: true };
        let mut hint = Hint::new(2, 40, marks);
        for (version, key) in [(7, "a"), (8, "b/c")] {
            let place = Place { segment: 2, offset: 40 + version as u32, len: 20 };
            hint.push(&Entry { kind: Kind::Delete, version, place, key });
        }
        let bytes = hint.encode();
        assert_eq!(Hint::decode(bytes.clone(), 2, 40).as_ref(), Some(&hint));
        assert_eq!(Hint::decode(bytes.clone(), 2, 39), None, "covers more than there is");
        assert_eq!(Hint::decode(bytes.clone(), 3, 40), None, "another segment's");
        for len in 0..bytes.len() {
            assert_eq!(Hint::decode(bytes[..len].to_vec(), 2, 40), None, "cut to {len}");
        }
        let mut cursor = Cursor::default();
        let keys: Vec<_> =
            std::iter::from_fn(|| hint.next(&mut cursor)).map(|e| (e.version, e.key)).collect();
        assert_eq!(keys, [(7, "a"), (8, "b/c")]);
    }
}
