//! Removing what an earlier run left: its cgroups with the processes in them, and its containers' files.
//!
//! Mounts and network namespaces need no removing. Both lived in namespaces that only the containers and their keeper
//! held, so they went with the processes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::thread::nanosleep;
use rustix::time::Timespec;

use crate::runtime::{RuntimeError, cgroup, sys};

/// How often it is looked whether an earlier keeper has ended.
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

/// Makes the run directory, and makes sure that this keeper is its only one. An earlier one, which may still be killing
/// its containers, is waited for, which is told.
pub(super) fn lock(
    run_dir: &Path,
    within: Duration,
    tell: &mut dyn FnMut(String),
) -> Result<File, RuntimeError> {
    let failed = |error| RuntimeError::io(format!("using {} as run directory", run_dir.display()), error);
    crate::private_dir::make(run_dir).map_err(failed)?;
    let path = run_dir.join("keeper.lock");
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(failed)?;
    let begun = sys::monotonic();
    let mut told = false;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
        let holder = std::fs::read_to_string(&path).unwrap_or_default();
        let holder = format!("the keeper before this one (process {})", holder.trim());
        if sys::monotonic().saturating_sub(begun) >= within {
            let why = format!(
                "{holder} still holds {} after {within:?}: a process of its containers does not end, or it belongs to \
                 another node. Look at it with ps, end it with kill -9, and start the node again",
                path.display()
            );
            return Err(failed(io::Error::new(io::ErrorKind::ResourceBusy, why)));
        }
        if !told {
            tell(format!("waiting up to {within:?} until {holder} has ended its containers"));
            told = true;
        }
        let _ = nanosleep(&LOCK_PAUSE);
    }
    // For whoever has to wait.
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map(|()| file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_wait_is_told_for_what_and_for_how_long() {
        let dir = tempfile::tempdir().unwrap();
        let mut told = Vec::new();
        let within = Duration::from_millis(30);
        let first = lock(dir.path(), within, &mut |text| told.push(text)).unwrap();
        assert!(told.is_empty(), "nobody is waited for");
        let begun = sys::monotonic();
        let refused = lock(dir.path(), within, &mut |text| told.push(text)).unwrap_err().to_string();
        assert!(sys::monotonic().saturating_sub(begun) >= within);
        let holder = format!("(process {})", std::process::id());
        for part in [&holder, "keeper.lock", "30ms", "kill -9"] {
            assert!(refused.contains(part), "{refused}");
        }
        assert!(matches!(&told[..], [text] if text.contains(&holder) && text.contains("30ms")), "{told:?}");
        drop(first);
        lock(dir.path(), within, &mut |text| told.push(text)).unwrap();
    }
}
