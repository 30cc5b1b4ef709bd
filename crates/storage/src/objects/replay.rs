//! Reading frames back.

use super::{
    frame::{self, Position},
    hint::{Entry, Hint},
    index::Place,
    record::Record,
};

/// Why reading stopped before the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// Where in the segment the first bad byte is, as near as can be told.
    pub(super) offset: u64,
    pub(super) reason: &'static str,
    /// This is no torn tail. A whole frame follows, and a frame is begun only when those before it are synced; or
    /// nothing is missing, as something is of a frame that was being written when all stopped.
    pub(super) was_synced: bool,
}

/// Extends `hint` by the frames in `bytes`, which lie in its segment from `hint.covered` on. After damage the hint
/// covers the whole frames before it.
pub(super) fn replay(hint: &mut Hint, segment: u32, bytes: &[u8]) -> Result<(), Damage> {
    let base = hint.covered;
    let mut at = 0;
    while at < bytes.len() {
        let position = Position { segment, offset: base + at as u64 };
        match replay_frame(hint, position, &bytes[at..]) {
            Ok(len) => at += len,
            Err((inside, reason)) => {
                let next = Position { offset: position.offset + 1, ..position };
                let was_synced =
                    frame::any_header(&bytes[at + 1..], next) || !frame::is_torn(&bytes[at..], position);
                return Err(Damage { offset: position.offset + inside as u64, reason, was_synced });
            }
        }
        hint.covered = base + at as u64;
    }
    Ok(())
}

/// Adds the frame that `bytes` begin with and gives its length, or where in it and why it is bad.
fn replay_frame(hint: &mut Hint, position: Position, bytes: &[u8]) -> Result<usize, (usize, &'static str)> {
    let (body_len, marks) = frame::read_header(bytes, position).map_err(|reason| (0, reason))?;
    let len = frame::HEADER + body_len;
    let frame = bytes.get(..len).ok_or((0, "a commit is cut short"))?;
    let mut records = Vec::new();
    let mut at = frame::HEADER;
    while at < len {
        let record = Record::read(&frame[at..]).map_err(|reason| (at, reason))?;
        let offset =
            u32::try_from(position.offset + at as u64).map_err(|_| (at, "the segment is too long"))?;
        let place = Place { segment: position.segment, offset, len: record.len() as u32 };
        records.push(Entry { kind: record.kind, version: record.version, place, key: record.key });
        at += record.len();
    }
    // Only now: a frame counts as a whole or not at all.
    records.iter().for_each(|entry| hint.push(entry));
    hint.marks = marks;
    Ok(len)
}
