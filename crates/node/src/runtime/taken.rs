//! Mounts of the daemon's own, on their way into a container.
//!
//! Containers' shells have mount namespaces that were made before, so what the daemon mounts later is not at its path
//! for them. The daemon takes a copy of the mount, in no namespace, and a shell moves it in through its descriptor, by
//! the daemon's number of it: so the descriptor must stay what it is until the keeper has answered, whoever still waits
//! for the start by then (see [`ContainerSpec::taken`](super::ContainerSpec::taken)).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use super::{BindMount, shell};

/// Takes what `mount` shows; returns the same for a container's shell, and the descriptor that it names.
pub(crate) fn take_mount(mount: BindMount) -> io::Result<(BindMount, OwnedFd)> {
    let (descriptor, _) = shell::take_volume(&mount)?;
    let source = format!("/proc/{}/fd/{}", std::process::id(), descriptor.as_raw_fd());
    Ok((BindMount { source: source.into(), sub_path: PathBuf::new(), ..mount }, descriptor))
}
