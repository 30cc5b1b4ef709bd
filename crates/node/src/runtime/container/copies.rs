//! Root file systems by copying, for where overlays do not work.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, Uid, XattrFlags, chownat, lgetxattr, lsetxattr, mknodat,
};

const PREFIX: &str = "copy-";
/// The attribute by which a layer says that a directory hides those below it.
const OPAQUE: &str = "trusted.overlay.opaque";
/// Attributes that a program needs: file capabilities.
const KEPT: &str = "security.capability";

/// The name of a copy's directory.
pub(super) fn name(number: u64) -> String {
    format!("{PREFIX}{number}")
}

/// Removes the copies in a directory that no container holds: their daemon ended before it had given them to one.
/// Returns a number that is greater than those of all that stay.
pub(super) fn clean(directory: &Path, held: &[PathBuf]) -> io::Result<u64> {
    let mut next = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let number =
            entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u64>().ok());
        match number {
            Some(number) if held.contains(&entry.path()) => next = next.max(number + 1),
            Some(_) => fs::remove_dir_all(entry.path())?,
            None => {}
        }
    }
    Ok(next)
}

/// Copies layers (the top one last) into a new directory, as an overlay of them would look.
pub(super) fn flatten(layers: &[PathBuf], into: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o755).create(into)?;
    layers.iter().try_for_each(|layer| merge(layer, into))
}

fn merge(layer: &Path, into: &Path) -> io::Result<()> {
    for entry in fs::read_dir(layer)? {
        let entry = entry?;
        let target = into.join(entry.file_name());
        copy(&entry, &target).map_err(|error| {
            io::Error::new(error.kind(), format!("copying {}: {error}", entry.path().display()))
        })?;
    }
    Ok(())
}

fn copy(entry: &DirEntry, target: &Path) -> io::Result<()> {
    let source = entry.path();
    let metadata = entry.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        if is_opaque(&source) || !fs::symlink_metadata(target).is_ok_and(|existing| existing.is_dir()) {
            remove(target)?;
            fs::create_dir(target)?;
        }
        merge(&source, target)?;
        return attributes(&source, target, &metadata);
    }
    remove(target)?;
    if kind.is_char_device() && metadata.rdev() == 0 {
        // A whiteout: it hides what a lower layer has, and shows nothing itself.
        return Ok(());
    }
    if kind.is_symlink() {
        symlink(fs::read_link(&source)?, target)?;
    } else if kind.is_file() {
        fs::copy(&source, target)?;
    } else {
        mknodat(
            CWD,
            target,
            FileType::from_raw_mode(metadata.mode()),
            Mode::from_raw_mode(0o600),
            metadata.rdev(),
        )?;
    }
    attributes(&source, target, &metadata)
}

/// Owner, mode and file capabilities, in the order in which one does not undo the other.
fn attributes(source: &Path, target: &Path, metadata: &Metadata) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    chownat(CWD, target, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(target, fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    let mut value = [0; 64];
    match lgetxattr(source, KEPT, &mut value[..]) {
        Ok(length) => Ok(lsetxattr(target, KEPT, &value[..length], XattrFlags::empty())?),
        Err(_) => Ok(()),
    }
}

fn is_opaque(directory: &Path) -> bool {
    let mut value = [0; 1];
    lgetxattr(directory, OPAQUE, &mut value[..]).is_ok() && value == *b"y"
}

fn remove(target: &Path) -> io::Result<()> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(target),
        Ok(_) => fs::remove_file(target),
    }
}

#[cfg(test)]
mod tests;
