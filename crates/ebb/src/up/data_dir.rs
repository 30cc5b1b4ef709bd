//! Where the platform keeps what, and that only one uses it.

use std::{
    fs::{self, File},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use resources::names::fnv32;
use rustix::fs::{FlockOperation, flock};

/// The data directory, held by this process.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl DataDir {
    /// The directory that is used where the user names none.
    pub(crate) fn default_path() -> PathBuf {
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/lib/ebb");
        }
        let home =
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/".into())).join(".local/share");
        std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("ebb")
    }

    /// Makes the directory if need be, and takes it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // It holds keys, Secrets and other systems' setuid programs: not for the machine's other users.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("making the data directory {}", path.display()))?;
        let path = path.canonicalize()?;
        let name = path.join("lock");
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&name);
        let mut lock = opened.with_context(|| format!("opening {}", name.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            let _ = lock.read_to_string(&mut pid);
            bail!(
                "another `ebb up` (process {}) uses the data directory {}; stop it, or give this one its own with --data-dir",
                pid.trim(),
                path.display()
            );
        }
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The admin's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// The API server's state and keys.
    pub(crate) fn api(&self) -> PathBuf {
        self.path.join("api")
    }

    /// The image store.
    pub(crate) fn images(&self) -> PathBuf {
        self.path.join("images")
    }

    /// Images laid out for the process runtime.
    pub(crate) fn flat(&self) -> PathBuf {
        self.path.join("flat")
    }

    /// Containers' logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Pods' emptyDir volumes.
    pub(crate) fn volumes(&self) -> PathBuf {
        self.path.join("volumes")
    }

    /// What lasts only while containers run: in memory with root, since it is written at every start.
    pub(crate) fn run(&self) -> PathBuf {
        if rustix::process::geteuid().is_root() {
            memory().join("ebb").join(self.id())
        } else {
            self.path.join("run")
        }
    }

    /// A short name for this directory, for what is named machine-wide: cgroups, the run directory.
    pub(crate) fn id(&self) -> String {
        // What an older build left must be found again, so by a hash that is the same in each.
        format!("{:08x}", fnv32(self.path.as_os_str().as_encoded_bytes()))
    }
}

/// What `statfs` says of a tmpfs (Linux: `linux/magic.h`).
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// A directory in memory for root's own use. Where `/run` is on disk, as in some containers, a start's small files would
/// cost ten times as much, and Secrets would be written down.
fn memory() -> &'static Path {
    let run = Path::new("/run");
    let is_in_memory = |dir: &Path| rustix::fs::statfs(dir).is_ok_and(|found| found.f_type == TMPFS_MAGIC);
    [run, Path::new("/dev/shm")]
        .into_iter()
        .find(|dir| is_in_memory(dir) && is_ours(&dir.join("ebb")))
        .unwrap_or(run)
}

/// Makes a directory, or finds that it is this user's: in a directory where anybody may make one, it may not be.
fn is_ours(dir: &Path) -> bool {
    let made = fs::DirBuilder::new().mode(0o700).create(dir);
    made.is_ok()
        || fs::symlink_metadata(dir)
            .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_user_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let refused = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()) && refused.contains("--data-dir"),
            "{refused}"
        );
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }
}
