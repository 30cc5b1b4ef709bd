//! Root file systems of the latest starts, each of which a shell of the pool has mounted already: a service that falls to
//! zero and wakes again finds its own, and a start then waits neither for the mount nor for the disk's journal.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::runtime::protocol::{Root, Rootfs};

/// The latest different roots, the very latest first.
#[derive(Default)]
pub(super) struct Recent(VecDeque<Root>);

impl Recent {
    /// Notes a start, and forgets what there are too many of.
    pub(super) fn note(&mut self, root: &Root, max: usize) {
        // A copy is one container's alone.
        if max == 0 || layers(root).is_none() || self.0.front() == Some(root) {
            return;
        }
        self.forget(root);
        self.0.push_front(root.clone());
        self.0.truncate(max);
    }

    pub(super) fn forget(&mut self, root: &Root) {
        self.0.retain(|known| known != root);
    }

    pub(super) fn contains(&self, root: &Root) -> bool {
        self.0.contains(root)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Root> {
        self.0.iter()
    }
}

/// A root file system as a shell has mounted it.
pub(super) struct Mounted {
    pub(super) root: Root,
    layers: Vec<Identity>,
}

/// File system and number of a directory. While it is mounted, no other one has both.
type Identity = (u64, u64);

impl Mounted {
    /// What a shell that mounts it from now on has.
    pub(super) fn from_now(root: &Root) -> io::Result<Self> {
        Ok(Self { root: root.clone(), layers: identities(root)? })
    }

    /// Whether a shell that mounted it now would have the same. An image may have been removed meanwhile, and may have
    /// been loaded again.
    pub(super) fn is_current(&self) -> bool {
        identities(&self.root).is_ok_and(|now| now == self.layers)
    }
}

fn identities(root: &Root) -> io::Result<Vec<Identity>> {
    let identity = |layer: &PathBuf| fs::metadata(layer).map(|found| (found.dev(), found.ino()));
    layers(root).into_iter().flatten().map(identity).collect()
}

fn layers(root: &Root) -> Option<&Vec<PathBuf>> {
    match &root.rootfs {
        Rootfs::Overlay(layers) => Some(layers),
        Rootfs::Copy(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(rootfs: Rootfs) -> Root {
        Root { rootfs, files: Vec::new(), message: None }
    }

    fn overlay(layers: &[&std::path::Path]) -> Root {
        root(Rootfs::Overlay(layers.iter().map(PathBuf::from).collect()))
    }

    #[test]
    fn the_latest_different_ones_are_known() {
        let [a, b, c] = ["/a", "/b", "/c"].map(|layer| overlay(&[layer.as_ref()]));
        let mut recent = Recent::default();
        for seen in [&a, &b, &b, &a, &c, &root(Rootfs::Copy("/copy".into()))] {
            recent.note(seen, 2);
        }
        assert_eq!(recent.iter().collect::<Vec<_>>(), [&c, &a]);
        recent.forget(&c);
        assert!(recent.contains(&a) && !recent.contains(&c));
        let mut none = Recent::default();
        none.note(&a, 0);
        assert_eq!(none.iter().count(), 0);
    }

    #[test]
    fn an_image_that_was_loaded_again_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let (below, above) = (dir.path().join("below"), dir.path().join("above"));
        fs::create_dir(&below).unwrap();
        fs::create_dir(&above).unwrap();
        let mounted = Mounted::from_now(&overlay(&[&below, &above])).unwrap();
        assert!(mounted.is_current());
        // As it is while it is mounted, its number is not free.
        fs::rename(&above, dir.path().join("held")).unwrap();
        assert!(!mounted.is_current());
        fs::create_dir(&above).unwrap();
        assert!(!mounted.is_current());
        assert!(Mounted::from_now(&overlay(&[&dir.path().join("absent")])).is_err());
    }
}
