//! The form of a stored line.

use jiff::Timestamp;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Appends one line, or one part of a longer one, to `out`.
pub(super) fn write(out: &mut Vec<u8>, at: Timestamp, stream: Stream, whole: bool, text: &[u8]) {
    let stream = match stream {
        Stream::Out => "stdout",
        Stream::Err => "stderr",
    };
    out.extend_from_slice(format!("{at:.9} {stream} {} ", if whole { 'F' } else { 'P' }).as_bytes());
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// A stored line without its newline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) at: Timestamp,
    /// The time as it is stored.
    pub(super) stamp: &'a str,
    pub(super) whole: bool,
    pub(super) text: &'a [u8],
}

/// Reads a stored line; `None` for a torn one.
pub(super) fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let stamp = std::str::from_utf8(fields.next()?).ok()?;
    let at = stamp.parse().ok()?;
    let _stream = fields.next()?;
    let whole = fields.next()? == b"F";
    Some(Line { at, stamp, whole, text: fields.next()? })
}
