//! Small files of a container's own: what it is to find in its `/etc`, and where it may leave a message.
//!
//! They are in a memory file system that is made with the shell, so a start only shows them and writes into them. What
//! the container itself writes there is limited and counts as its memory, and nothing is left of it when the container is
//! removed: the keeper and the daemon hold the message file open until then.

use std::fs::{self, File};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::mounts::{SAFE, make};
use super::{Outcome, StartFailure, Step, volume};
use crate::runtime::protocol::Root;
use crate::runtime::{BindMount, OWN_FILES_BYTES_MAX};

/// The file for the container's message; the others are named by numbers.
const MESSAGE: &str = "message";

/// Makes their file system, and the file for a message, which is returned to be read.
pub(super) fn prepare(own: &Path) -> Outcome<OwnedFd> {
    make("tmpfs", own, SAFE, &format!("mode=755,size={OWN_FILES_BYTES_MAX}"))?;
    let path = own.join(MESSAGE);
    let made = create(&path, 0o666).and_then(|()| File::open(&path));
    made.map(OwnedFd::from).map_err(|error| StartFailure::of(Step::Shell, path.display().to_string(), &error))
}

/// Shows them in a root file system, empty.
pub(super) fn show(own: &Path, root: BorrowedFd<'_>, wanted: &Root) -> Outcome<()> {
    for (number, target) in wanted.files.iter().enumerate() {
        let path = own.join(number.to_string());
        create(&path, 0o644).map_err(|error| failure(target, &error))?;
        volume::show(root, &bind(path, target))?;
    }
    match &wanted.message {
        Some(target) => volume::show(root, &bind(own.join(MESSAGE), target)),
        None => Ok(()),
    }
}

/// Writes what is in them.
pub(super) fn fill(own: &Path, files: &[PathBuf], contents: &[String]) -> Outcome<()> {
    files.iter().zip(contents).enumerate().try_for_each(|(number, (target, content))| {
        fs::write(own.join(number.to_string()), content).map_err(|error| failure(target, &error))
    })
}

/// Without a mask: a shell has none.
fn create(path: &Path, mode: u32) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(mode).open(path).map(drop)
}

fn bind(source: PathBuf, target: &Path) -> BindMount {
    BindMount { source, sub_path: PathBuf::new(), target: target.to_owned(), read_only: false }
}

fn failure(target: &Path, error: &io::Error) -> StartFailure {
    StartFailure::of(Step::Mount, target.display().to_string(), error)
}
