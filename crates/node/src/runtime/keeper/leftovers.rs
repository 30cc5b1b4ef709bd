//! Removing what an earlier run left: its cgroups with the processes in them, and its containers' files.
//!
//! Mounts and network namespaces need no removing. Both lived in namespaces that only the containers and their keeper
//! held, so they went with the processes.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::thread::nanosleep;
use rustix::time::Timespec;

use crate::runtime::{RuntimeError, cgroup};

/// How long an earlier keeper, which may still be killing its containers, is waited for: 1,000 times 10 ms.
const LOCK_ATTEMPTS: u32 = 1_000;
const LOCK_PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Container cgroups.
    pub cgroups: usize,
    /// Container directories.
    pub directories: usize,
}

/// Removes what runs with this run directory and this cgroup root left behind, killing what still runs. Only for when
/// no runtime uses them; the container runtime itself does this when it starts and when it ends.
pub fn clean_leftovers(run_dir: &Path, cgroup_root: &str) -> Result<Leftovers, RuntimeError> {
    let cgroups = cgroup::detect(cgroup_root)?;
    let mut found = Leftovers::default();
    let removing =
        |error| RuntimeError::io(format!("removing what an earlier run left in cgroup {cgroup_root}"), error);
    for name in cgroups.names().map_err(removing)? {
        cgroup::kill_and_remove(&*cgroups, &name).map_err(removing)?;
        found.cgroups += 1;
    }
    cgroups.remove_root().map_err(removing)?;

    let containers = run_dir.join(super::slot::DIRECTORY);
    let cleaning = |error| {
        RuntimeError::io(format!("removing what an earlier run left in {}", containers.display()), error)
    };
    match fs::read_dir(&containers) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cleaning(error)),
        Ok(entries) => {
            for entry in entries {
                fs::remove_dir_all(entry.map_err(cleaning)?.path()).map_err(cleaning)?;
                found.directories += 1;
            }
        }
    }
    Ok(found)
}

/// Makes the run directory, and makes sure that this keeper is its only one.
pub(super) fn lock(run_dir: &Path) -> Result<File, RuntimeError> {
    let failed = |error| RuntimeError::io(format!("using {} as run directory", run_dir.display()), error);
    crate::private_dir::make(run_dir).map_err(failed)?;
    let file = File::create(run_dir.join("keeper.lock")).map_err(failed)?;
    for _ in 0..LOCK_ATTEMPTS {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let _ = nanosleep(&LOCK_PAUSE);
            }
            Err(errno) => return Err(failed(errno.into())),
        }
    }
    Err(failed(io::Error::new(io::ErrorKind::ResourceBusy, "another node is using it")))
}
