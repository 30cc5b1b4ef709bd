//! A file that is made beside the one whose place it takes, so that there is always the whole of one or the other.

use std::{io, path::Path};

use tempfile::NamedTempFile;

/// The directory of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file, for its owner alone, in the directory of this one.
///
/// # Errors
/// As the system says it, without the new file's own name: the user has given another one.
pub(crate) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    if !folder.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    NamedTempFile::new_in(folder).map_err(|error| error.kind().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_name_is_not_told() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        for (path, expect) in [
            ("absent/new", "No such file or directory (os error 2)"),
            ("file/new", "not a directory"),
            // Where nobody can make files.
            ("/proc/new", ""),
        ] {
            let error = beside(&at(path)).unwrap_err().to_string();
            assert!(error.contains(expect) && !error.contains(".tmp"), "{path}: {error}");
        }
        assert_eq!(folder(beside(&at("file")).unwrap().path()), directory.path());
        assert_eq!(folder(Path::new("file")), Path::new("."));
    }
}
