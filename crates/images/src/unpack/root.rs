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
            match make_directory(self, &parent, name.as_os_str()) {
                Ok(()) => made.push(prefix.clone()),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Ok((self.directory(path)?, made))
    }

    /// How many directories lie between the root and `dir`, a directory below it, whichever links led there; no more than
    /// is allowed.
    fn depth(&self, dir: &OwnedFd) -> io::Result<usize> {
        let is_root = |dir: &OwnedFd| -> io::Result<bool> {
            let (here, root) = (sys::fstat(dir)?, sys::fstat(&self.0)?);
            Ok((here.st_dev, here.st_ino) == (root.st_dev, root.st_ino))
        };
        if is_root(dir)? {
            return Ok(0);
        }
        let mut above = open_directory(dir, OsStr::new(".."))?;
        for depth in 1..DEPTH_MAX {
            if is_root(&above)? {
                return Ok(depth);
            }
            above = open_directory(&above, OsStr::new(".."))?;
        }
        Err(io::Error::other(TooDeep))
    }
}

/// How deep directories may lie. A path alone cannot lead much deeper, but by way of links to where others ended a layer
/// could go on: what is so deep cannot be walked, nor removed, by most programs.
pub(super) const DEPTH_MAX: usize = 255;

/// A directory would lie too deep.
#[derive(Debug, thiserror::Error)]
#[error("more than {DEPTH_MAX} directories deep")]
struct TooDeep;

pub(super) fn is_too_deep(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<TooDeep>())
}

/// Makes a directory in another one below the root.
pub(super) fn make_directory(root: &Root, dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    root.depth(dir)?;
    Ok(sys::mkdirat(dir, name, Mode::from(0o755))?)
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

/// Removes a name with all below it, however deep that is: without recursion, and with one directory open at a time.
pub(super) fn remove(dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    if !is_directory_left(dir, name)? {
        return Ok(());
    }
    // The directories on the way down, each with its name and what is left to remove in it.
    let mut inside = open_directory(dir, name)?;
    let mut way = vec![(name.to_owned(), names(&inside)?)];
    while let Some((_, left)) = way.last_mut() {
        if let Some(child) = left.pop() {
            if is_directory_left(&inside, &child)? {
                inside = open_directory(&inside, &child)?;
                way.push((child, names(&inside)?));
            }
            continue;
        }
        let Some((emptied, _)) = way.pop() else { break };
        if way.is_empty() {
            return Ok(sys::unlinkat(dir, emptied, AtFlags::REMOVEDIR)?);
        }
        inside = open_directory(&inside, OsStr::new(".."))?;
        sys::unlinkat(&inside, emptied, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// Removes a name, unless it is a directory, which is told.
fn is_directory_left(dir: &OwnedFd, name: &OsStr) -> io::Result<bool> {
    match sys::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => Ok(true),
        Err(e) => Err(e.into()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Deeper than the stack of the thread, or the usual limit of 1024 open files, would allow. Each directory is a block
    /// of the disk, so that ten times as many take a minute to make.
    #[test]
    fn what_lies_very_deep_is_removed() {
        const DEPTH: usize = 2_000;
        let dir = tempfile::tempdir().unwrap();
        let outside = Root::open(dir.path()).unwrap().0;
        let mut here = outside.try_clone().unwrap();
        for _ in 0..DEPTH {
            sys::mkdirat(&here, "d", Mode::from(0o755)).unwrap();
            sys::openat(&here, "d", DIRECTORY, Mode::empty()).map(|inner| here = inner).unwrap();
            drop(create_file(&here, OsStr::new("f")).unwrap());
        }
        // Removed by a thread with little stack.
        let remove = move || remove(&outside, OsStr::new("d"));
        std::thread::Builder::new().stack_size(128 << 10).spawn(remove).unwrap().join().unwrap().unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
