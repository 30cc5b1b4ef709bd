//! A frame: the records of one commit. It is written by one append and synced before the next is begun, so only the
//! last frame of a log can ever be torn. It counts as a whole or not at all.
//!
//! ```text
//!   0  u32  magic
//!   4  u32  CRC-32C of bytes 8–31 with the segment's number and the frame's offset: a frame is valid only where
//!           it was written, so that no user's value can pass for one
//!   8  u32  length of the records that follow
//!  12  u32  1 if the store was closed after this frame, else 0
//!  16  u64  the last version whose change is in this frame or before it
//!  24  u64  the last version that may have been handed out
//!  32       records: first those that compaction moves here, then the new ones in the order of their versions
//! ```
//!
//! Moved records come first so that of one key, what lies later in the log is never older.

use super::{
    record::{Record, u32_at, u64_at},
    value::Version,
};

pub(super) const HEADER: usize = 32;
const MAGIC: [u8; 4] = *b"EbbF";

/// What is known of the versions at some point of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The last version whose change is here or before.
    pub(super) last: Version,
    /// The last version that may have been handed out. Falls back to the last that was when the store is closed.
    pub(super) reserved: Version,
    /// The store was closed: every version handed out since it was opened is durable.
    pub(super) clean: bool,
}

/// Where a frame begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) segment: u32,
    pub(super) offset: u64,
}

/// The header of the frame that `bytes` begin with: the length of its records, and its marks.
pub(super) fn read_header(bytes: &[u8], position: Position) -> Result<(usize, Marks), &'static str> {
    let header = bytes.first_chunk::<HEADER>().ok_or("a commit is cut short")?;
    if header[..4] != MAGIC {
        return Err("no commit begins here");
    }
    if checksum(header, position) != u32_at(header, 4) {
        return Err("a commit's checksum does not match");
    }
    let marks =
        Marks { clean: u32_at(header, 12) == 1, last: u64_at(header, 16), reserved: u64_at(header, 24) };
    Ok((u32_at(header, 8) as usize, marks))
}

/// Whether a frame's header lies anywhere in `bytes`, whose first byte is at `position`.
pub(super) fn any_header(bytes: &[u8], position: Position) -> bool {
    bytes.windows(HEADER).enumerate().any(|(at, window)| {
        window.starts_with(&MAGIC)
            && read_header(window, Position { offset: position.offset + at as u64, ..position }).is_ok()
    })
}

/// A disk writes so much or nothing of it.
const SECTOR: usize = 512;

/// Whether a crash may have left this, up to the end of the file, of a frame that was being written: it is cut short, or
/// some sector was not written, and then has zeros behind what was in it before. What was synced and has changed since
/// does not look so, unless it had such zeros of its own.
pub(super) fn is_torn(bytes: &[u8], position: Position) -> bool {
    let len = match read_header(bytes, position) {
        Ok((body_len, _)) => HEADER + body_len,
        Err(_) => bytes.len().max(HEADER),
    };
    let Some(frame) = bytes.get(..len) else { return true };
    let first = SECTOR - (position.offset % SECTOR as u64) as usize;
    let (first, others) = frame.split_at(first.min(frame.len()));
    std::iter::once(first).chain(others.chunks(SECTOR)).any(|sector| sector.iter().all(|byte| *byte == 0))
}

fn checksum(header: &[u8; HEADER], position: Position) -> u32 {
    let crc = crc32c::crc32c(&header[8..]);
    let crc = crc32c::crc32c_append(crc, &position.segment.to_le_bytes());
    crc32c::crc32c_append(crc, &position.offset.to_le_bytes())
}

/// A frame being put together.
pub(super) struct Builder {
    bytes: Vec<u8>,
}

/// A buffer that a large commit has left is given back.
const BUFFER_BYTES_KEPT: usize = 1 << 20;

impl Builder {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADER] }
    }

    /// Begins the next frame, in the same buffer.
    pub(super) fn reset(&mut self) {
        self.bytes.truncate(HEADER);
        self.bytes.shrink_to(BUFFER_BYTES_KEPT);
    }

    /// Length of the records so far.
    pub(super) fn body_len(&self) -> usize {
        self.bytes.len() - HEADER
    }

    /// Adds a record; gives its offset in the frame.
    pub(super) fn push(&mut self, record: &Record<'_>) -> usize {
        let at = self.bytes.len();
        record.write(&mut self.bytes);
        at
    }

    /// Adds a record that was written before; gives its offset in the frame.
    pub(super) fn push_written(&mut self, record: &[u8]) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(record);
        at
    }

    /// The whole frame for `position`; `None` when it is longer than a frame can say.
    pub(super) fn finish(&mut self, position: Position, marks: Marks) -> Option<&[u8]> {
        let body_len = u32::try_from(self.body_len()).ok()?;
        let header = self.bytes.first_chunk_mut::<HEADER>().expect("every frame begins with one");
        header[..4].copy_from_slice(&MAGIC);
        header[8..12].copy_from_slice(&body_len.to_le_bytes());
        header[12..16].copy_from_slice(&u32::from(marks.clean).to_le_bytes());
        header[16..24].copy_from_slice(&marks.last.to_le_bytes());
        header[24..32].copy_from_slice(&marks.reserved.to_le_bytes());
        let crc = checksum(header, position);
        header[4..8].copy_from_slice(&crc.to_le_bytes());
        Some(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::Kind, *};

    #[test]
    fn what_is_whole_but_changed_is_not_torn() {
        let here = Position { segment: 1, offset: 1000 };
        let mut builder = Builder::new();
        let value = vec![7; 1500];
        builder.push(&Record { kind: Kind::Put, version: 1, key: "k", value: &value, sealed: false });
        let marks = Marks { last: 1, reserved: u64::MAX, clean: false };
        let frame = builder.finish(here, marks).unwrap().to_vec();
        for at in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[at] ^= 0xff;
            assert!(!is_torn(&flipped, here), "flipped {at}");
            assert!(is_torn(&frame[..at], here), "cut to {at}");
        }
        // The frame begins 24 bytes before a sector does.
        for sector in [0..24, 24..536, 536..1048, 1048..frame.len()] {
            let mut torn = frame.clone();
            torn[sector.clone()].fill(0);
            assert!(is_torn(&torn, here), "{sector:?}");
        }
    }

    #[test]
    fn a_frame_is_valid_only_where_it_was_written() {
        let here = Position { segment: 3, offset: 40 };
        let marks = Marks { last: 9, reserved: 100, clean: true };
        let mut builder = Builder::new();
        let frame = builder.finish(here, marks).unwrap().to_vec();
        assert_eq!(read_header(&frame, here), Ok((0, marks)));
        assert!(read_header(&frame, Position { offset: 41, ..here }).is_err());
        assert!(read_header(&frame, Position { segment: 4, ..here }).is_err());

        let shifted = [b"E", &frame[..]].concat();
        assert!(any_header(&shifted, Position { offset: 39, ..here }));
        assert!(!any_header(&shifted, here));
    }
}
