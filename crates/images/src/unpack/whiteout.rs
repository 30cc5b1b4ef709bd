//! How a layer says that something below it is gone.
//! (OCI image specification, layer.md, "Whiteouts".)

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Other names that begin so are aufs' own bookkeeping and mean nothing.
const AUFS: &[u8] = b".wh..wh.";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whiteout {
    /// The name is not in the layers below any more.
    Removed(OsString),
    /// Nothing of the layers below is in this directory any more.
    Opaque,
    /// Skip the entry.
    Meaningless,
    /// A whiteout of nothing, or of the directory itself.
    Malformed,
}

impl Whiteout {
    pub(super) fn of(name: &OsStr) -> Option<Whiteout> {
        let removed = name.as_bytes().strip_prefix(PREFIX)?;
        Some(match name.as_bytes() {
            OPAQUE => Whiteout::Opaque,
            name if name.starts_with(AUFS) => Whiteout::Meaningless,
            _ if matches!(removed, b"" | b"." | b"..") => Whiteout::Malformed,
            _ => Whiteout::Removed(OsStr::from_bytes(removed).to_owned()),
        })
    }
}
