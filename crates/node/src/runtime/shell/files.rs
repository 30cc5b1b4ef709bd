//! Paths inside a root file system that is not trusted: resolved with every symbolic link and `..` confined to it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2};
use rustix::io::Errno;

use super::{Outcome, StartFailure, Step};

const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Opens a path, if it exists.
pub(super) fn existing(root: BorrowedFd<'_>, path: &Path) -> Outcome<Option<OwnedFd>> {
    match open(root, path, LOOK) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(failure(path, errno)),
    }
}

/// Opens a directory, made with its parents where absent.
pub(super) fn directory(root: BorrowedFd<'_>, path: &Path) -> Outcome<OwnedFd> {
    make_directory(root, path).map_err(|errno| failure(path, errno))
}

/// Opens a file, made with its parents where absent.
pub(super) fn file(root: BorrowedFd<'_>, path: &Path) -> Outcome<OwnedFd> {
    let opened = match open(root, path, LOOK) {
        Err(Errno::NOENT) => make_file(root, path),
        other => other,
    };
    opened.map_err(|errno| failure(path, errno))
}

fn make_directory(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    // Nearly always it is there, or lacks its last part alone.
    match open(root, path, LOOK | OFlags::DIRECTORY) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    let mut at = open(root, Path::new("/"), LOOK | OFlags::DIRECTORY)?;
    let mut so_far = PathBuf::new();
    for component in path.components() {
        let Component::Normal(name) = component else {
            so_far.push(component);
            continue;
        };
        so_far.push(name);
        at = match open(root, &so_far, LOOK | OFlags::DIRECTORY) {
            Err(Errno::NOENT) => {
                mkdirat(&at, name, Mode::from_raw_mode(0o755))?;
                open(root, &so_far, LOOK | OFlags::DIRECTORY)?
            }
            other => other?,
        };
    }
    Ok(at)
}

fn make_file(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let parent = make_directory(root, path.parent().unwrap_or(Path::new("/")))?;
    let name = path.file_name().ok_or(Errno::ISDIR)?;
    let flags = OFlags::CREATE | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
    openat2(parent.as_fd(), name, flags, Mode::from_raw_mode(0o644), ResolveFlags::IN_ROOT)?;
    open(root, path, LOOK)
}

fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(root, path, flags, ResolveFlags::IN_ROOT)
}

/// Opens a path that exists, resolved as `how` says.
pub(super) fn resolve(
    at: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    how: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    // EAGAIN means that a `..` raced with a rename somewhere; the kernel asks to try again.
    loop {
        match openat2(at, path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
}

fn failure(path: &Path, errno: Errno) -> StartFailure {
    StartFailure::new(Step::Mount, path.display().to_string(), errno)
}
