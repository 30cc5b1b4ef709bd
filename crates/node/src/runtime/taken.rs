//! Mounts of the daemon's own, on their way into a container.
//!
//! Containers' shells have mount namespaces that were made before, so what the daemon mounts later is not at its path
//! for them. The daemon takes a copy of the mount, in no namespace, and a shell moves it in through its descriptor.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use super::{BindMount, shell};

/// A mount that was taken; it must live until the container has started.
#[derive(Debug)]
pub(crate) struct TakenMount {
    descriptor: OwnedFd,
}

/// Takes what `mount` shows.
pub(crate) fn take_mount(mount: &BindMount) -> io::Result<TakenMount> {
    let (descriptor, _) = shell::take_volume(mount)?;
    Ok(TakenMount { descriptor })
}

impl TakenMount {
    /// The same for a container's shell.
    pub(crate) fn shown_as(&self, mount: BindMount) -> BindMount {
        let source = format!("/proc/{}/fd/{}", std::process::id(), self.descriptor.as_raw_fd());
        BindMount { source: source.into(), sub_path: PathBuf::new(), ..mount }
    }
}
