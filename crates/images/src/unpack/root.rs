//! A directory that nothing below it can lead out of.
//!
//! Directories are opened with `openat2(RESOLVE_IN_ROOT)`, so `..` and absolute symbolic links end
//! inside; everything else is done to a single name in an open directory, never following it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Root> {
        Ok(Root(sys::open(path, DIRECTORY, Mode::empty())?))
    }

    /// The directory at `path`, following links inside the root; empty is the root itself.
    pub(super) fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        // EAGAIN: the kernel saw a rename meanwhile and cannot tell; the directory is ours, so it ends.
        loop {
            match sys::openat2(&self.0, path, DIRECTORY, Mode::empty(), resolve) {
                Err(rustix::io::Errno::AGAIN) => continue,
                other => return Ok(other?),
            }
        }
    }

    /// As `directory`, making what is missing on the way. Returns what was made, outermost first.
    pub(super) fn make_directory(&self, path: &Path) -> io::Result<(OwnedFd, Vec<PathBuf>)> {
        match self.directory(path) {
            Ok(dir) => return Ok((dir, Vec::new())),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut made = Vec::new();
        let mut prefix = PathBuf::new();
        for name in path.components() {
            let parent = self.directory(&prefix)?;
            prefix.push(name);
            match sys::mkdirat(&parent, name.as_os_str(), Mode::from(0o755)) {
                Ok(()) => made.push(prefix.clone()),
                Err(rustix::io::Errno::EXIST) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok((self.directory(path)?, made))
    }
}

pub(super) fn stat(dir: &OwnedFd, name: &OsStr) -> io::Result<Option<Stat>> {
    match sys::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

pub(super) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// overlayfs's mark of a removed name.
pub(super) fn is_whiteout_device(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// A directory's own descriptor, by its name in its parent.
pub(super) fn open_directory(dir: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(sys::openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?)
}

pub(super) fn create_file(dir: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(sys::openat(dir, name, flags, Mode::from(0o600))?))
}

/// Removes a name with all below it. Depth is bounded by the kernel's limits on what could be made.
pub(super) fn remove(dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match sys::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
        Err(e) => return Err(e.into()),
    }
    let inside = open_directory(dir, name)?;
    for child in names(&inside)? {
        remove(&inside, &child)?;
    }
    Ok(sys::unlinkat(dir, name, AtFlags::REMOVEDIR)?)
}

pub(super) fn names(dir: &OwnedFd) -> io::Result<Vec<std::ffi::OsString>> {
    use std::os::unix::ffi::OsStrExt;
    let mut names = Vec::new();
    for entry in sys::Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}
