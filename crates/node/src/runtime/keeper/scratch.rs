//! What daemons keep for their containers, removed when no daemon comes to do it.
//!
//! Memory volumes are mounted among it in the machine's own mount namespace, which the keeper has left for one in which
//! it mounts unseen.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The mount namespace in which daemons mount.
pub(super) struct HostMounts(File);

impl HostMounts {
    /// The one that this process is in.
    pub(super) fn open() -> io::Result<Self> {
        File::open("/proc/self/ns/mnt").map(Self)
    }
}

/// Removes it, from the namespace of those who made it if this process has left that. It stays there: for what is the
/// last that it does.
pub(super) fn remove(scratch: &Path, host: Option<&HostMounts>) -> io::Result<()> {
    if let Some(HostMounts(host)) = host {
        move_into_link_name_space(host.as_fd(), Some(LinkNameSpaceType::Mount))?;
    }
    crate::run_dir::remove_run_dir(scratch)
}
