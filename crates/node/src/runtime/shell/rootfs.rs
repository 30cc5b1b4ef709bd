//! The root file system: layers stacked by overlayfs, or a directory of the container's own; then, entering it.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use super::{Outcome, Stage, StartFailure, Step, mounts, own_files, sys, through};
use crate::runtime::protocol::{Root, Rootfs};

/// Makes the container's own directory, which no user of the host may look into. A shell has no mask.
pub(super) fn make_directory(directory: &Path) -> Outcome<()> {
    let make =
        |path: &Path, mode| mkdirat(CWD, path, Mode::from_raw_mode(mode)).map_err(|e| failure(path, e));
    make(directory, 0o700)?;
    // The upper directory is the container's root, which any user of it must be able to read.
    ["upper", "work"].iter().try_for_each(|name| make(&directory.join(name), 0o755))
}

/// Mounts all that does not depend on which pod's container it is; returns the root.
pub(super) fn assemble(wanted: &Root, directory: &Path, stage: &Stage) -> Outcome<OwnedFd> {
    let root = mount_root(&wanted.rootfs, directory, stage)?;
    mounts::place(stage, root.as_fd())?;
    own_files::show(&stage.own, root.as_fd(), wanted)?;
    Ok(root)
}

/// Mounts the root file system in the stage, and opens it. No device node in it can be opened, whoever put it there.
fn mount_root(rootfs: &Rootfs, directory: &Path, stage: &Stage) -> Outcome<OwnedFd> {
    match rootfs {
        Rootfs::Overlay(layers) => overlay(layers, directory, stage)?,
        Rootfs::Copy(copy) => mount_bind(copy, &stage.root).map_err(|errno| failure(copy, errno))?,
    }
    let root = open(&stage.root)?;
    restrict(root.as_fd(), libc::MOUNT_ATTR_NODEV)?;
    Ok(root)
}

/// Makes the root file system read-only; mounts in it stay as they are.
pub(super) fn make_read_only(root: BorrowedFd<'_>) -> Outcome<()> {
    restrict(root, libc::MOUNT_ATTR_RDONLY)
}

fn restrict(root: BorrowedFd<'_>, restriction: u64) -> Outcome<()> {
    sys::restrict(root, restriction, sys::Reach::Mount).map_err(|errno| failure(Path::new("/"), errno))
}

/// Makes `root` the root directory, and lets go of the old one.
pub(super) fn enter(root: BorrowedFd<'_>) -> Outcome<()> {
    let pivot = |errno| StartFailure::new(Step::Pivot, "", errno);
    rustix::process::fchdir(root).map_err(pivot)?;
    // With one directory as both, the old root lands on top of the new one, from where it is detached.
    rustix::process::pivot_root(".", ".").map_err(pivot)?;
    unmount(".", UnmountFlags::DETACH).map_err(pivot)?;
    rustix::process::chdir("/").map_err(pivot)
}

/// Layers are named by descriptors: the mount options must fit a page, whatever the layers' number (127 at most, by
/// the image format) and paths, and no character of a path needs escaping.
fn overlay(layers: &[PathBuf], directory: &Path, stage: &Stage) -> Outcome<()> {
    let lower = layers.iter().rev().chain([&stage.base]);
    let lower = lower.map(|layer| open(layer)).collect::<Outcome<Vec<_>>>()?;
    let (upper, work) = (open(&directory.join("upper"))?, open(&directory.join("work"))?);
    let lower: Vec<_> = lower.iter().map(|layer| (layer, through(layer))).collect();
    let names: Vec<_> = lower.iter().map(|(_, name)| name.as_str()).collect();
    // Volatile: what a container writes outside of volumes is gone with it, so syncing it is waste, and without this
    // every end of a container would sync the whole disk.
    let options = format!(
        "lowerdir={},upperdir={},workdir={},volatile",
        names.join(":"),
        through(&upper),
        through(&work)
    );
    let options = CString::new(options).expect("descriptor paths have no null byte");
    mount("overlay", &stage.root, "overlay", MountFlags::empty(), options.as_c_str())
        .map_err(|errno| failure(layers.last().map_or(directory, PathBuf::as_path), errno))
}

fn open(path: &Path) -> Outcome<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD.as_fd(), path, flags, Mode::empty()).map_err(|errno| failure(path, errno))
}

fn failure(path: &Path, errno: Errno) -> StartFailure {
    StartFailure::new(Step::Rootfs, path.display().to_string(), errno)
}
