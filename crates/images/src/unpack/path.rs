//! What an entry may be called.

use std::path::{Component, Path, PathBuf};

/// `path` relative to the root, without `.`; `None` when a `..` is in it. Nobody needs one in a layer,
/// so it is refused rather than resolved. The root itself is the empty path.
pub(crate) fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// The directory and the name in it.
pub(super) fn split(path: &Path) -> Option<(&Path, &std::ffi::OsStr)> {
    Some((path.parent()?, path.file_name()?))
}
