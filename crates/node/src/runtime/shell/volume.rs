//! Volumes: host files and directories shown inside a container.
//!
//! A path below a volume (Kubernetes: `subPath`) is not trusted: other containers of the pod write to the volume, and
//! may put a symbolic link anywhere at any time. So no link below the volume is followed, and what is shown is the
//! descriptor that was opened, never a path that is looked up again (upstream: kubernetes, kubelet subpath).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use super::{Outcome, StartFailure, Step, files, sys};
use crate::runtime::BindMount;

const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Shows a volume at its path of the container. No device node in it can be opened.
pub(super) fn show(root: BorrowedFd<'_>, volume: &BindMount) -> Outcome<()> {
    let source = volume.source.join(&volume.sub_path);
    let (mount, kind) = take(volume).map_err(|errno| failure(&source, errno))?;
    let target = match kind {
        FileType::Directory => files::directory(root, &volume.target)?,
        _ => files::file(root, &volume.target)?,
    };
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&mount, "", &target, "", both).map_err(|errno| failure(&volume.target, errno))
}

/// A mount of what is to be shown, not yet anywhere, with all its restrictions.
///
/// Another process that may (the daemon) takes what is mounted in its own mount namespace alone, and names its
/// descriptor as the source.
pub(in crate::runtime) fn take(volume: &BindMount) -> Result<(OwnedFd, FileType), Errno> {
    let mut shown = openat(CWD, &volume.source, LOOK, Mode::empty())?;
    if !volume.sub_path.as_os_str().is_empty() {
        shown = below(shown, &volume.sub_path)?;
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    let mount = match open_tree(&shown, "", flags) {
        // It was taken before, restrictions and all: being in no namespace it cannot be copied, and is moved itself.
        Err(Errno::INVAL) if volume.sub_path.as_os_str().is_empty() => {
            let kind = FileType::from_raw_mode(fstat(&shown)?.st_mode);
            return Ok((shown, kind));
        }
        other => other?,
    };
    let read_only = if volume.read_only { libc::MOUNT_ATTR_RDONLY } else { 0 };
    sys::restrict(mount.as_fd(), libc::MOUNT_ATTR_NODEV | read_only, sys::Reach::Tree)?;
    Ok((mount, FileType::from_raw_mode(fstat(&shown)?.st_mode)))
}

/// Opens a path below a volume, made as a directory where absent, with the volume's own mode.
fn below(volume: OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    match step(volume.as_fd(), path) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    let mode = Mode::from_raw_mode(fstat(&volume)?.st_mode);
    let mut at = volume;
    for component in path.components() {
        let name = match component {
            Component::Normal(name) => Path::new(name),
            Component::CurDir => continue,
            // Checked before, with a better message; it must not pass here either way.
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return Err(Errno::XDEV),
        };
        match mkdirat(&at, name, mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        at = step(at.as_fd(), name)?;
    }
    Ok(at)
}

fn step(at: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    files::resolve(at, path, LOOK, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

fn failure(path: &Path, errno: Errno) -> StartFailure {
    StartFailure::new(Step::Mount, path.display().to_string(), errno)
}
