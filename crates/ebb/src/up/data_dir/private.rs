//! Whether a directory is this user's alone to change. Whoever else could would read keys and Secrets there, and put
//! programs in place of those that this user runs.

use std::{
    fs::{DirBuilder, File, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
};

use rustix::fs::{Mode, OFlags};

/// What this process makes is for nobody else.
const PRIVATE: u32 = 0o700;
/// Those who may write beside the owner: group and others.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Those who may do anything beside the owner.
const OPEN_TO_OTHERS: u32 = 0o077;

/// Why a directory is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Objection {
    #[error("it is a symbolic link, or no directory")]
    NoDirectory,
    #[error("it belongs to another user (uid {owner})")]
    Owner { owner: u32 },
    #[error("others than its owner may change it (mode {mode:04o})")]
    Writable { mode: u32 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes a directory, and those above it that are missing; returns whether it was not there.
pub(super) fn make(path: &Path) -> io::Result<bool> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(PRIVATE);
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        builder.create(above)?;
    }
    match builder.recursive(false).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a directory that only this user can change.
pub(super) fn open(path: &Path) -> Result<File, Objection> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let user = rustix::process::geteuid().as_raw();
    let dir = File::from(opened.map_err(|errno| match errno {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => Objection::NoDirectory,
        errno => unopened(path, errno.into(), user),
    })?);
    check(&dir.metadata()?, user)?;
    Ok(dir)
}

/// Makes a directory that nobody else can look into, or makes one that is there and [`open`]s so.
pub(super) fn take(path: &Path) -> Result<(), Objection> {
    match DirBuilder::new().mode(PRIVATE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return Ok(made?),
    }
    let dir = open(path)?;
    if dir.metadata()?.mode() & OPEN_TO_OTHERS != 0 {
        dir.set_permissions(Permissions::from_mode(PRIVATE))?;
    }
    Ok(())
}

/// Why a directory cannot be opened: whose it is says more than that this user may not.
fn unopened(path: &Path, error: io::Error, user: u32) -> Objection {
    match path.symlink_metadata() {
        Ok(found) if error.kind() == io::ErrorKind::PermissionDenied && found.uid() != user => {
            Objection::Owner { owner: found.uid() }
        }
        _ => Objection::Io(error),
    }
}

fn check(found: &Metadata, user: u32) -> Result<(), Objection> {
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    if owner != user {
        Err(Objection::Owner { owner })
    } else if mode & WRITABLE_BY_OTHERS != 0 {
        Err(Objection::Writable { mode })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_what_nobody_else_can_change_is_used() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for (name, mode) in [("closed", 0o700), ("seen", 0o755), ("group", 0o770), ("all", 0o1777)] {
            fs::create_dir(path(name)).unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::write(path("file"), "").unwrap();
        symlink("closed", path("link")).unwrap();
        for (name, expect) in [
            ("new", ""),
            ("closed", ""),
            ("seen", ""),
            ("group", "mode 0770"),
            ("all", "mode 1777"),
            ("file", "no directory"),
            ("link", "symbolic link"),
        ] {
            match take(&path(name)) {
                Ok(()) => {
                    assert_eq!(expect, "", "{name}");
                    assert_eq!(fs::metadata(path(name)).unwrap().mode() & 0o777, PRIVATE, "{name}");
                }
                Err(objection) => {
                    let told = objection.to_string();
                    assert!(!expect.is_empty() && told.contains(expect), "{name}: {told}");
                }
            }
        }
        let found = fs::metadata(path("closed")).unwrap();
        let told = check(&found, found.uid() + 1).unwrap_err().to_string();
        let owner = format!("belongs to another user (uid {})", found.uid());
        assert!(told.contains(&owner), "{told}");
        // Root may open what is others', so nobody is refused here.
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let told = unopened(&path("closed"), denied(), found.uid() + 1).to_string();
        assert!(told.contains(&owner), "{told}");
        for (error, user) in [(denied(), found.uid()), (io::Error::other("broken"), found.uid() + 1)] {
            assert!(matches!(unopened(&path("closed"), error, user), Objection::Io(_)));
        }
    }
}
