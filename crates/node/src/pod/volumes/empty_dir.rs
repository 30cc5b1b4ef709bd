//! Directories that belong to a pod: on disk, or in memory.

use std::{
    ffi::CString,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use resources::{
    builtin::{EmptyDirVolumeSource, Pod, Volume},
    quantity,
};
use rustix::{
    io::Errno,
    mount::{MountFlags, UnmountFlags, mount, unmount},
};

use super::{Laid, Places, is_there};
use crate::private_dir;

/// The most that a memory volume holds whose pod does not say (Kubernetes: half of the node's memory).
const MEMORY_BYTES_DEFAULT: u64 = 256 << 20;
/// The most entries that are counted for a volume's size: a look at a volume is bounded, whatever is in it.
const ENTRIES_MAX: usize = 200_000;
/// Bytes in a block of `st_blocks`.
const BLOCK_BYTES: u64 = 512;

/// Makes an emptyDir. Containers of any user may write to it.
pub(super) fn make(
    places: &Places,
    name: &str,
    source: &EmptyDirVolumeSource,
    group: Option<u32>,
) -> io::Result<Laid> {
    let in_memory = is_in_memory(source);
    let parent = parent(places, source);
    private_dir::make(parent)?;
    let path = parent.join(name);
    fs::create_dir_all(&path)?;
    let is_mount = in_memory && is_mounted(&path, source)?;
    if let Some(group) = group {
        chown(&path, None, Some(group))?;
    }
    let mode = if group.is_some() { 0o2777 } else { 0o777 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(Laid { path, is_mount, is_values: false })
}

/// An emptyDir that [`make`] has made.
pub(super) fn kept(places: &Places, name: &str, source: &EmptyDirVolumeSource) -> Laid {
    let path = parent(places, source).join(name);
    let is_mount = is_in_memory(source) && is_mount_point(&path).unwrap_or(false);
    Laid { path, is_mount, is_values: false }
}

fn is_in_memory(source: &EmptyDirVolumeSource) -> bool {
    source.medium.as_deref() == Some("Memory")
}

fn parent<'a>(places: &'a Places, source: &EmptyDirVolumeSource) -> &'a Path {
    if is_in_memory(source) { &places.run } else { &places.disk }
}

/// Mounts memory, unless an earlier try has; false where this user may not.
fn is_mounted(path: &Path, source: &EmptyDirVolumeSource) -> io::Result<bool> {
    if is_mount_point(path)? {
        return Ok(true);
    }
    let size = source.size_limit.as_ref().and_then(bytes).unwrap_or(MEMORY_BYTES_DEFAULT);
    let options = CString::new(format!("mode=777,size={size}")).expect("a number has no null byte");
    match mount("ebb", path, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str()) {
        Ok(()) => Ok(true),
        // Only root mounts, and only what root starts can be shown volumes at all.
        Err(Errno::PERM) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn is_mount_point(path: &Path) -> io::Result<bool> {
    let parent = path.parent().unwrap_or(path);
    Ok(fs::metadata(path)?.dev() != fs::metadata(parent)?.dev())
}

/// Takes a pod's memory volumes out of the file tree, which then can be removed. What still holds one keeps it.
pub(in crate::pod) fn clear(places: &Places, pod: &Pod) -> io::Result<()> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    for volume in volumes.filter(|volume| volume.empty_dir.is_some()) {
        let path = places.run.join(&volume.name);
        if is_there(&path) && is_mount_point(&path).unwrap_or(false) {
            unmount(&path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
                .map_err(|errno| io::Error::other(format!("unmounting {}: {errno}", path.display())))?;
        }
    }
    Ok(())
}

/// An emptyDir on disk that may not grow beyond a size.
#[derive(Clone, Debug)]
pub(in crate::pod) struct Limited {
    path: PathBuf,
    name: String,
    limit: u64,
    /// As the pod says it.
    told: String,
}

impl Limited {
    /// `None` where there is no limit, or where the kernel keeps it.
    pub(super) fn of(disk: &Path, volume: &Volume) -> Option<Self> {
        let source = volume.empty_dir.as_ref()?;
        if source.medium.as_deref() == Some("Memory") {
            return None;
        }
        let told = source.size_limit.as_ref()?;
        let limit = bytes(told).filter(|limit| *limit > 0)?;
        Some(Self { path: disk.join(&volume.name), name: volume.name.clone(), limit, told: told.0.clone() })
    }

    /// What is wrong with it, if it holds more than it may. Blocks, for at most [`ENTRIES_MAX`] entries.
    pub(in crate::pod) fn excess(&self) -> Option<String> {
        let Self { name, told, .. } = self;
        (used(&self.path, self.limit) > self.limit)
            .then(|| format!("Usage of EmptyDir volume {name:?} exceeds the limit {told:?}."))
    }
}

/// Bytes on disk below a directory; no longer counted once they are more than `enough`.
fn used(dir: &Path, enough: u64) -> u64 {
    let (mut bytes, mut entries) = (0, 0);
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        // What is removed while it is looked at takes no room any more.
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            bytes += found.blocks() * BLOCK_BYTES;
            entries += 1;
            if bytes > enough || entries >= ENTRIES_MAX {
                return bytes;
            }
            if found.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    bytes
}

fn bytes(quantity: &resources::meta::Quantity) -> Option<u64> {
    u64::try_from(quantity::millis(quantity)? / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_counted_up_to_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        let empty = used(dir.path(), u64::MAX);
        for name in ["x", "a/y", "a/b/z"] {
            fs::write(dir.path().join(name), vec![1; 64 << 10]).unwrap();
        }
        std::os::unix::fs::symlink("/", dir.path().join("a/root")).unwrap();
        let full = used(dir.path(), u64::MAX);
        assert!((3 * (64 << 10)..1 << 20).contains(&(full - empty)), "{empty} {full}");
        assert!(used(dir.path(), 64 << 10) > 64 << 10);
        assert_eq!(used(&dir.path().join("none"), 1), 0);
    }
}
