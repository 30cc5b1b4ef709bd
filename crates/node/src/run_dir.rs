//! Removing what was kept while containers ran: files, and the memory volumes that are mounted among them.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FsWord, statfs},
    mount::{UnmountFlags, unmount},
};

/// What `statfs` says of a tmpfs (Linux: `linux/magic.h`).
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Whether what is written to a directory stays in memory.
pub fn is_in_memory(dir: &Path) -> bool {
    statfs(dir).is_ok_and(|found| found.f_type == TMPFS_MAGIC)
}

/// Removes the directory with all that is in it and mounted below it; one that is not there is fine. What cannot be
/// removed keeps nothing else: the error names the first of it.
pub fn remove_run_dir(dir: &Path) -> io::Result<()> {
    let mounts = fs::read("/proc/self/mountinfo")?;
    // The last one mounted comes off first.
    let below = mount_points(&mounts).into_iter().rev().filter(|mount| mount.starts_with(dir));
    let unmounted = below.map(|mount| {
        let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
        unmount(&mount, flags).map_err(|errno| named(&mount, errno.into()))
    });
    let unmounted = unmounted.fold(Ok(()), Result::and);
    let removed = remove_dir(dir);
    unmounted.and(removed)
}

/// Removes a directory with all that is in it; one that is not there is fine. The error names what stays.
pub(crate) fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(&first_left(dir), error)),
        _ => Ok(()),
    }
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Where the removal of a directory, which takes the entries in their order, has come to.
fn first_left(dir: &Path) -> PathBuf {
    let entry = fs::read_dir(dir).ok().and_then(|mut entries| entries.next()?.ok());
    match entry {
        Some(entry) if entry.file_type().is_ok_and(|kind| kind.is_dir()) => first_left(&entry.path()),
        Some(entry) => entry.path(),
        None => dir.to_owned(),
    }
}

/// The mount points of a mountinfo, which writes blanks and backslashes in them as three octal digits.
fn mount_points(mountinfo: &[u8]) -> Vec<PathBuf> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let fields = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    fields.map(|field| PathBuf::from(OsString::from_vec(unescape(field)))).collect()
}

fn unescape(mut field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    while let Some((byte, rest)) = field.split_first() {
        let digits = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *byte == b'\\') {
            Some(escaped) => {
                out.push(escaped);
                field = &rest[3..];
            }
            None => {
                out.push(*byte);
                field = rest;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_the_kernel_writes_them() {
        let text = b"21 1 0:20 / /run rw - tmpfs x rw\n22 21 0:21 / /run/a\\040b\\134c rw - tmpfs x rw\n";
        assert_eq!(mount_points(text), [PathBuf::from("/run"), PathBuf::from("/run/a b\\c")]);
    }

    #[test]
    fn a_directory_that_is_not_there_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        fs::create_dir_all(run.join("pods/x")).unwrap();
        remove_run_dir(&run).unwrap();
        remove_run_dir(&run).unwrap();
        assert!(!run.exists());
    }
}
