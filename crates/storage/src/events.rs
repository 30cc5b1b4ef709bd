//! Every log line of this crate, one function each.

use std::path::Path;

use crate::{Error, objects::Recovered};

pub(crate) fn opened(dir: &Path, recovered: &Recovered) {
    tracing::info!(
        dir = %dir.display(),
        keys = recovered.keys,
        last_durable = recovered.last_durable,
        next = recovered.next,
        clean = recovered.clean,
        "object store opened"
    );
}

pub(crate) fn torn_tail_cut_off(path: &Path, offset: u64, bytes: u64) {
    tracing::warn!(path = %path.display(), offset, bytes, "an unfinished commit was cut off");
}

pub(crate) fn rewriting(dir: &Path, segments: usize) {
    tracing::info!(
        dir = %dir.display(), segments, "what was written in an older form or sealed with another key is written anew"
    );
}

pub(crate) fn rewritten(dir: &Path) {
    tracing::info!(dir = %dir.display(), "all is written in the present form and sealed with the present key");
}

pub(crate) fn failed(error: &Error) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, source, "the object store takes no more writes");
}
