//! What a person would look at when a program of ours fails.

use std::{fs, path::Path};

/// How much of a log is shown.
const BYTES_MAX: usize = 2000;

/// The end of a log; nothing of one that cannot be read.
pub(crate) fn end_of(log: &Path) -> String {
    let log = fs::read(log).unwrap_or_default();
    let end = log.get(log.len().saturating_sub(BYTES_MAX)..).unwrap_or_default();
    String::from_utf8_lossy(end).trim().to_owned()
}
