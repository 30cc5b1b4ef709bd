//! The file-system seam: the few operations that durable storage needs, with their promises written down.
//!
//! [`Disk`] is the real one. A test may implement the traits to lose unsynced data, tear writes or fail.

mod disk;

use std::{io, path::Path, sync::Arc};

pub use self::disk::Disk;

/// A directory tree. Names created, renamed or removed are durable after [`FileSystem::sync_dir`], not before.
pub trait FileSystem: Send + Sync + 'static {
    /// Creates `dir` and its missing parents; no error if it exists. The names that lead to it are durable then, whoever
    /// made them: one who was killed in the midst of it has left names that are not.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// The names in `dir`, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Creates an empty file; `AlreadyExists` if there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens an existing file.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Renames a file, replacing `to`: a crash leaves one of the two, whole as far as it was synced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name. Open files stay readable.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the lock file `path` for this process, without waiting; `None` if it is taken.
    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>>;
}

/// Holds a lock until dropped. The system drops it too when the process dies.
pub type LockGuard = Box<dyn Send + Sync>;

/// An open file. What was appended is durable after [`File::sync_data`], not before, and may be torn until then.
pub trait File: Send + Sync {
    /// Writes all of `bytes` at the end. After an error any part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file is shorter.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Length in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Makes the file's bytes and length durable.
    fn sync_data(&self) -> io::Result<()>;
}
