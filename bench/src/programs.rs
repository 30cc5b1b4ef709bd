//! Programs of the machine that a measurement can do with.

use std::{env, path::PathBuf};

/// Where a program is that is installed.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
