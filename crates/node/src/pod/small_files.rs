//! Where a start's own small files are written: its `/etc`, the file for its last message.
//!
//! In memory at once, on the thread that the start is on: half a dozen of them take 0.13 ms there and wait for nobody,
//! while handing them to another thread and hearing back takes 0.06 ms more at the median and 2.5 ms at p99 (two shared
//! cores, 20 ms between starts). On a disk a file may wait for the journal's commit, and everything on that thread
//! behind it: there they go to a thread that may block. Volumes always do: emptyDirs are on disk wherever this is.

use std::{io, path::Path};

use tokio::task::spawn_blocking;

use crate::run_dir::is_in_memory;

/// How the files in the run directory are written and read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SmallFiles {
    in_memory: bool,
}

impl SmallFiles {
    /// Of a directory that is there.
    pub(super) fn of(run_dir: &Path) -> Self {
        Self { in_memory: is_in_memory(run_dir) }
    }

    /// Does what writes or reads a few of them.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        if self.in_memory { work() } else { spawn_blocking(work).await.map_err(io::Error::other).flatten() }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::current;

    use super::*;

    #[tokio::test]
    async fn only_what_is_in_memory_is_done_on_the_same_thread() {
        let here = current().id();
        for in_memory in [true, false] {
            let there = SmallFiles { in_memory }.run(|| Ok(current().id())).await.unwrap();
            assert_eq!(there == here, in_memory);
        }
        assert!(
            SmallFiles { in_memory: false }.run(|| Err::<(), _>(io::ErrorKind::Other.into())).await.is_err()
        );
        assert!(is_in_memory(Path::new("/dev/shm")) && !is_in_memory(Path::new("/none")));
    }
}
