//! Directories that no other user of the machine can look into.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

const MODE: u32 = 0o700;

/// Makes a directory, and those above it that are missing, for this user alone; one that is there becomes so.
pub(crate) fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(MODE).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(MODE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_old_directories_become_private() {
        let root = tempfile::tempdir().unwrap();
        let mode = |dir: &Path| fs::metadata(dir).unwrap().permissions().mode() & 0o777;
        let old = root.path().join("old");
        fs::create_dir(&old).unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o755)).unwrap();
        make(&old).unwrap();
        make(&root.path().join("above/new")).unwrap();
        assert_eq!(
            [mode(&old), mode(&root.path().join("above")), mode(&root.path().join("above/new"))],
            [MODE; 3]
        );
    }
}
