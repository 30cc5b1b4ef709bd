//! What can go wrong, by what the caller can do about it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::objects::KeyId;

/// The result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of this crate. `Display` never repeats the source: print the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum Error {
    /// Another process (or another store of this process) has the directory.
    #[error("{} is in use by another process; stop it or choose another data directory", dir.display())]
    Locked { dir: PathBuf },

    /// A file was written by a program that knows a newer (or no longer known) format.
    #[error(
        "{} has format {found} and this program reads format {known}; use the program that wrote it, or a newer one",
        path.display()
    )]
    UnknownFormat { path: PathBuf, found: u32, known: u32 },

    /// Bytes that had been synced are not what was written.
    #[error("{} is damaged at byte {offset}: {reason}; restore the directory from a backup", path.display())]
    Corrupt { path: PathBuf, offset: u64, reason: &'static str },

    /// A directory has values that are sealed with a key that was not given. Nothing was changed.
    #[error(
        "values in {} are sealed with the key {id}, which is not among those given; give the key that they were written with",
        path.display()
    )]
    KeyMissing { path: PathBuf, id: KeyId },

    /// No value can be sealed.
    #[error("the system gives no random numbers, without which nothing can be sealed")]
    NoRandomness,

    /// The file system refused an operation.
    #[error("cannot {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    /// The disk does not keep up. Nothing was changed; the same call may succeed later.
    #[error("{queued} {what} wait for the disk and the limit is {limit}; try again later")]
    Overloaded { what: &'static str, queued: u64, limit: u64 },

    /// A key or value beyond its limit. Nothing was changed.
    #[error("the {what} has {len} bytes and the limit is {limit}")]
    TooLarge { what: &'static str, len: usize, limit: usize },

    /// A write, sync or read failed, now or earlier. Nothing is acknowledged any more, other reads go on.
    #[error(
        "the store takes no writes any more, since its disk failed; make room on the disk or repair it, then restart"
    )]
    Failed(#[source] Arc<Error>),

    /// The thread that writes ended without saying why.
    #[error("the writer thread panicked")]
    WriterPanicked,

    /// The store was closed before the call.
    #[error("the store is closed")]
    Closed,
}

/// Names the operation and the file of an [`io::Error`].
pub(crate) trait IoContext<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}
