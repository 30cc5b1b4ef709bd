//! Control groups: one per container, under one root, made with the container's shell and limited when it starts.
//!
//! A process is never moved by another one: on version 1 that waits for an RCU grace period, 6 to 13 ms when starts
//! are milliseconds apart. On version 1 a new process writes itself into the `tasks` files while it has one thread
//! (0.1 ms), on version 2 it is cloned into its group.

mod detect;
mod hybrid;
mod unified;
mod values;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use super::{Resources, RuntimeError, Stats};

pub(super) use detect::detect;

/// How many times removing a group is tried that the kernel still calls busy, a millisecond apart.
const REMOVE_ATTEMPTS: u32 = 500;

/// The control groups of one root.
pub(super) trait Cgroups: Send + Sync {
    /// Makes the root, with what its groups need.
    fn prepare(&self) -> io::Result<()>;
    /// Makes a group without limits.
    fn create(&self, name: &str) -> io::Result<()>;
    /// The group to clone into, where that exists.
    fn clone_target(&self, name: &str) -> io::Result<Option<OwnedFd>>;
    /// Moves the calling process, which must have one thread, into a group, unless it was cloned into it.
    fn join(&self, name: &str) -> io::Result<()>;
    /// Sets the limits of a group.
    fn limit(&self, name: &str, resources: &Resources) -> io::Result<()>;
    /// How many processes of the group the kernel has killed for want of memory.
    fn oom_kills(&self, name: &str) -> io::Result<u64>;
    /// What the group has used.
    fn stats(&self, name: &str) -> io::Result<Stats>;
    /// The process ids in a group.
    fn members(&self, name: &str) -> io::Result<Vec<i32>>;
    /// Removes a group, which must be empty. A group that does not exist is no error.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The groups there are, by name.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Removes the root, which must hold no groups.
    fn remove_root(&self) -> io::Result<()>;
    /// The directories to show in `/sys/fs/cgroup` of a container: one when all is in one hierarchy.
    fn single_hierarchy(&self) -> bool;
}

/// Removes a group, killing what is left in it. Takes until the processes are gone.
pub(super) fn kill_and_remove(cgroups: &dyn Cgroups, name: &str) -> io::Result<()> {
    let mut attempts = 0..REMOVE_ATTEMPTS;
    loop {
        match cgroups.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && attempts.next().is_some() => {}
            other => return other,
        }
        for pid in cgroups.members(name)? {
            // A process id from a group's own list is of that group; one that just ended is no error.
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        pause(Duration::from_millis(1));
    }
}

fn pause(duration: Duration) {
    let time = rustix::time::Timespec { tv_sec: 0, tv_nsec: duration.subsec_nanos().into() };
    let _ = rustix::thread::nanosleep(&time);
}

fn remove_directory(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(named(path, error)),
        _ => Ok(()),
    }
}

/// Writes a control file, without creating it.
fn write(path: &Path, value: &str) -> io::Result<()> {
    use std::io::Write as _;
    let written =
        fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(value.as_bytes()));
    written.map_err(|error| named(path, error))
}

fn read_number(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path).map_err(|error| named(path, error))?;
    text.trim().parse().map_err(|_| named(path, io::ErrorKind::InvalidData.into()))
}

/// The number after a key in a file of "key number" lines; 0 where there is none.
fn read_keyed(path: &Path, key: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path).map_err(|error| named(path, error))?;
    let value = text.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key);
    Ok(value.and_then(|(_, number)| number.trim().parse().ok()).unwrap_or(0))
}

fn subdirectories(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

fn read_members(path: &Path) -> io::Result<Vec<i32>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// An error with the path that it is about. The error number stays within reach, for whoever tells of it as such.
fn named(path: &Path, cause: io::Error) -> io::Error {
    io::Error::new(cause.kind(), RuntimeError::io(path.display().to_string(), cause))
}
