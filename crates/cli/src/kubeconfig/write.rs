//! Writes a file that holds a key: whole or not at all, and for its owner alone.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{MetadataExt, fchown},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{
    error::Error,
    new_file::{beside, folder},
};

/// Replaces the file; a link stays a link.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |cause| Error::File { what: "write", path: path.to_owned(), cause };
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    let directory = folder(&target);
    fs::create_dir_all(directory).map_err(failed)?;
    // Made with mode 0600.
    let mut file = beside(&target).map_err(failed)?;
    keep_owner(&file, &target, directory).map_err(failed)?;
    file.as_file_mut().write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Root writing into a user's home leaves the file the user's.
fn keep_owner(file: &NamedTempFile, target: &Path, directory: &Path) -> io::Result<()> {
    let owner = fs::metadata(target).or_else(|_| fs::metadata(directory))?;
    let own = file.as_file().metadata()?;
    if (owner.uid(), owner.gid()) == (own.uid(), own.gid()) {
        return Ok(());
    }
    match fchown(file.as_file(), Some(owner.uid()), Some(owner.gid())) {
        // Only root may give a file away; anybody else keeps their own.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}
