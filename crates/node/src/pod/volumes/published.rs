//! A volume of values as it stands on the host: all of its files change at once (upstream: kubernetes, volume AtomicWriter).
//!
//! ```text
//!   volume/  ..a/one, ..a/sub/two     what is shown
//!            ..data ──▶ ..a           replaced by a link to ..b when ..b is written; then ..a goes
//!            one ──▶ ..data/one       what a container looks for
//!            sub ──▶ ..data/sub
//! ```

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, chown, symlink},
    },
    path::{Component, Path, PathBuf},
};

use super::files::Files;

/// The link to what is shown. A subPath begins there: it is of the files of the container's start, and follows no link.
pub(super) const CURRENT: &str = "..data";
/// The next such link, until it takes the place of the other.
const NEXT: &str = "..data_tmp";
/// What is shown, and what is to be shown next, by turns.
const TURNS: [&str; 2] = ["..a", "..b"];

/// Shows these files in place of those that were shown, in a directory that is there; what is shown already stays as it
/// is. `group` may read all of them.
pub(super) fn publish(dir: &Path, files: Files, group: Option<u32>) -> io::Result<()> {
    let files = match group {
        Some(_) => files.into_iter().map(|(path, (content, mode))| (path, (content, mode | 0o440))).collect(),
        None => files,
    };
    let current = fs::read_link(dir.join(CURRENT)).ok();
    let mut turn = usize::from(current.as_deref() == Some(Path::new(TURNS[1])));
    if !is_shown(&dir.join(CURRENT), &files) {
        turn = if current.is_some() { 1 - turn } else { 0 };
        // An earlier try may have come so far.
        for left in [TURNS[turn], NEXT] {
            remove(&dir.join(left))?;
        }
        write(&dir.join(TURNS[turn]), &files, group)?;
        symlink(TURNS[turn], dir.join(NEXT))?;
        fs::rename(dir.join(NEXT), dir.join(CURRENT))?;
    }
    let names: BTreeSet<&OsStr> = files.keys().filter_map(|path| top(path)).collect();
    for name in &names {
        link(dir, name)?;
    }
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if !names.contains(name.as_os_str()) && !name.as_bytes().starts_with(b"..") {
            remove(&dir.join(name))?;
        }
    }
    remove(&dir.join(TURNS[1 - turn]))
}

fn is_shown(current: &Path, files: &Files) -> bool {
    let is_same = |(path, (content, mode)): (&PathBuf, &(Vec<u8>, u32))| {
        let path = current.join(path);
        fs::read(&path).is_ok_and(|there| there == *content)
            && fs::metadata(&path).is_ok_and(|there| there.permissions().mode() & 0o7777 == *mode)
    };
    count(current).is_ok_and(|count| count == files.len()) && files.iter().all(is_same)
}

/// How many files there are.
fn count(dir: &Path) -> io::Result<usize> {
    fs::read_dir(dir)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        Ok(sum + if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 })
    })
}

/// The entry of the volume that the path is in.
fn top(path: &Path) -> Option<&OsStr> {
    match path.components().next()? {
        Component::Normal(name) => Some(name),
        _ => None,
    }
}

fn link(dir: &Path, name: &OsStr) -> io::Result<()> {
    let (at, to) = (dir.join(name), PathBuf::from(CURRENT).join(name));
    if fs::read_link(&at).ok().as_ref() == Some(&to) {
        return Ok(());
    }
    remove(&at)?;
    symlink(to, at)
}

fn write(dir: &Path, files: &Files, group: Option<u32>) -> io::Result<()> {
    fs::create_dir(dir)?;
    for (path, (content, mode)) in files {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
        if group.is_some() {
            chown(&path, None, group)?;
        }
    }
    Ok(())
}

/// Removes what is there, if anything is; no link is followed.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (PathBuf::from(path), (text.as_bytes().to_vec(), 0o640))).collect()
    }

    #[test]
    fn all_files_change_at_once_and_nothing_is_left() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path();
        let read = |path: &str| fs::read_to_string(dir.join(path)).ok();
        // As an earlier version has left it.
        fs::write(dir.join("one"), "old").unwrap();
        fs::create_dir(dir.join("sub")).unwrap();
        let stages = [
            files(&[("one", "1"), ("sub/two", "2")]),
            files(&[("one", "11"), ("sub/two", "22"), ("three", "3")]),
            files(&[("three", "33"), ("sub", "a file now")]),
            files(&[]),
            files(&[("one", "again")]),
        ];
        for stage in stages {
            // A reader who opened the directory before sees the files of then, all or none.
            let seen = fs::canonicalize(dir.join(CURRENT)).ok();
            publish(dir, stage.clone(), None).unwrap();
            let shown = fs::canonicalize(dir.join(CURRENT)).ok();
            assert_ne!(shown, seen);
            publish(dir, stage.clone(), None).unwrap();
            assert_eq!(fs::canonicalize(dir.join(CURRENT)).ok(), shown, "the same is not shown again");
            for (path, (content, mode)) in &stage {
                assert_eq!(fs::read(dir.join(path)).unwrap(), *content);
                assert_eq!(fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777, *mode);
            }
            let left = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
            let left: BTreeSet<_> = left.filter(|name| !name.as_bytes().starts_with(b"..")).collect();
            let names: BTreeSet<_> = stage.keys().filter_map(|path| top(path)).map(OsStr::to_owned).collect();
            assert_eq!(left, names);
            assert_eq!(TURNS.iter().filter(|turn| dir.join(turn).exists()).count(), 1);
        }
        assert_eq!(read("one").as_deref(), Some("again"));
        // A try that was cut short is no hindrance.
        fs::create_dir_all(dir.join("..b/x")).unwrap();
        symlink("nowhere", dir.join(NEXT)).unwrap();
        publish(dir, files(&[("one", "1")]), None).unwrap();
        assert_eq!((read("one").as_deref(), dir.join("..b/x").exists()), (Some("1"), false));
        assert!(publish(&dir.join("gone"), files(&[("one", "1")]), None).is_err(), "it makes no volume");
    }
}
