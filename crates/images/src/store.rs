//! Images on disk, by content.
//!
//! ```text
//!   DIR/lock             held while open: one process at a time
//!   DIR/refs.json        reference → digest; written whole, to a temporary file, synced, renamed
//!   DIR/blobs/sha256/HEX manifests, configs, layers, as received
//!   DIR/layers/HEX/      a layer unpacked for overlayfs, by the digest of its plain tar (diff id)
//!   DIR/tmp/             what is not finished; emptied at open
//! ```
//!
//! Reads (`get`, `lease`, `list`) touch memory only. Writers take turns at `refs.json`; readers see a
//! change after it is on disk.
//!
//! A reference that moves to new content leaves the old content listed by its digest: Knative pins
//! Revisions by digest, and an image loaded from a file could not be fetched again. Content goes when
//! its last reference was removed and no [`Lease`] holds it.

mod collect;
mod content;
mod image;
mod index;
mod ingest;
mod lease;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustix::fs::FlockOperation;
use tokio::sync::watch;

use crate::manifest::Platform;
use crate::unpack::{self, Style};
use crate::{Digest, Error, Limits, Reference, Result};

pub use image::{Image, ImageSummary, Lease};
pub(crate) use ingest::Ingest;

/// How layers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// Unpacked once each, as overlayfs reads them. Needs root.
    Overlay,
    /// Not unpacked; [`Store::flatten`] makes a whole file system when one is needed.
    Flat,
}

/// Where a store is, and what it takes.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Its directory, which is made where it is missing; no other process may have it open.
    pub dir: PathBuf,
    /// How layers are kept.
    pub layers: Layers,
    /// The largest that an image may be.
    pub limits: Limits,
}

impl StoreConfig {
    /// The default for who asks: overlay layers for root, flat otherwise.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let root = rustix::process::geteuid().is_root();
        let layers = if root { Layers::Overlay } else { Layers::Flat };
        StoreConfig { dir: dir.into(), layers, limits: Limits::default() }
    }
}

/// Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    config: StoreConfig,
    platform: Platform,
    _lock: File,
    /// Held from deciding what `refs.json` shall say until readers see it.
    writing: Mutex<()>,
    state: RwLock<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    images: BTreeMap<Reference, Arc<Image>>,
    by_digest: HashMap<Digest, Arc<Image>>,
    /// Content in use by leases and unfinished ingests, with how many.
    pins: HashMap<Digest, usize>,
}

impl State {
    fn set_images(&mut self, images: BTreeMap<Reference, Arc<Image>>) {
        self.by_digest.clear();
        for image in images.values() {
            self.by_digest.insert(image.digest.clone(), Arc::clone(image));
            self.by_digest.insert(image.manifest.clone(), Arc::clone(image));
        }
        self.images = images;
    }

    fn find(&self, reference: &Reference) -> Option<&Arc<Image>> {
        match reference.digest() {
            Some(digest) => self.by_digest.get(digest),
            None => self.images.get(reference),
        }
    }
}

impl Store {
    /// Opens or makes the store and unpacks layers that are missing (a store that was `Flat` before). An image whose
    /// content is damaged is left out with a warning. What a crash left, or is needed by no name, stays until
    /// [`Store::collect`]: containers that outlived the last process may run on it. Blocks.
    pub fn open(config: StoreConfig) -> Result<Store> {
        let dir = &config.dir;
        for sub in ["blobs/sha256", "layers", "tmp"] {
            let path = dir.join(sub);
            fs::create_dir_all(&path).map_err(Error::io("make directory", &path))?;
        }
        // Layers hold other systems' setuid programs: not for the host's users.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(dir, private).map_err(Error::io("set the mode of", dir))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(Error::io("create", &path))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::StoreInUse(dir.clone())),
            Err(e) => return Err(Error::io("lock", &path)(e.into())),
        }
        let listed = index::read(dir)?;
        let store = Store(Arc::new(Inner {
            platform: Platform::host(),
            _lock: lock,
            writing: Mutex::new(()),
            state: RwLock::default(),
            changes: watch::channel(0).0,
            config,
        }));
        let tmp = store.dir().join("tmp");
        fs::remove_dir_all(&tmp).and_then(|()| fs::create_dir(&tmp)).map_err(Error::io("empty", &tmp))?;
        let mut images = BTreeMap::new();
        for (reference, digest) in listed {
            match store.read_image(&digest) {
                Ok(image) => {
                    images.insert(reference, image);
                }
                Err(error) => {
                    tracing::warn!(%reference, %digest, %error, "stored image is damaged: left out")
                }
            }
        }
        store.0.state.write().set_images(images);
        Ok(store)
    }

    fn dir(&self) -> &Path {
        &self.0.config.dir
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.config.limits
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir().join("blobs/sha256").join(digest.hex())
    }

    fn layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.dir().join("layers").join(diff_id.hex())
    }

    /// By tag, or by the digest of its manifest or index whatever its name: equal digests are equal
    /// content.
    pub fn get(&self, reference: &Reference) -> Option<Arc<Image>> {
        self.0.state.read().find(reference).cloned()
    }

    /// A number that grows with every change of what the store lists.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// All references, in order.
    pub fn list(&self) -> Vec<ImageSummary> {
        let state = self.0.state.read();
        state.images.iter().map(|(reference, image)| image.summary(reference)).collect()
    }

    /// Forgets the reference, and deletes what no reference and no lease needs. Blocks.
    pub fn remove(&self, reference: &Reference) -> Result<()> {
        self.change(|images| match images.remove(reference) {
            Some(_) => Ok(()),
            None => Err(Error::NotInStore(reference.to_string())),
        })?;
        self.collect()
    }

    /// Applies all layers of `image` to the new directory `target`, for a process that runs without
    /// overlayfs. The directory appears when it is whole; one that exists is left as it is. Without root
    /// the files belong to the caller. Blocks.
    pub fn flatten(&self, image: &Image, target: &Path) -> Result<()> {
        if target.exists() {
            return Ok(());
        }
        let parent = target.parent().unwrap_or(Path::new("."));
        let staging = tempfile::Builder::new()
            .prefix(".flatten-")
            .tempdir_in(parent)
            .map_err(Error::io("make a directory in", parent))?;
        let root = staging.path().join("root");
        make_root(&root)?;
        for layer in &image.layer_blobs {
            unpack::apply(&self.blob_path(&layer.blob), &layer.diff_id, &root, Style::Flat, self.limits())?;
        }
        publish(&root, target)
    }

    /// Rewrites the list: `edit` sees the present one; on disk first, then for readers.
    fn change(&self, edit: impl FnOnce(&mut BTreeMap<Reference, Arc<Image>>) -> Result<()>) -> Result<()> {
        let _turn = self.0.writing.lock();
        let mut images = self.0.state.read().images.clone();
        edit(&mut images)?;
        index::write(self.dir(), images.iter().map(|(reference, image)| (reference, &image.digest)))?;
        self.0.state.write().set_images(images);
        self.0.changes.send_modify(|number| *number += 1);
        Ok(())
    }
}

/// A new directory with the mode of a file system's root, whatever the umask.
fn make_root(path: &Path) -> Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, mode))
        .map_err(Error::io("make directory", path))
}

/// Renames a finished directory into place. Whoever was first wins: both are the same content.
fn publish(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(_) if to.is_dir() => return Ok(()),
        Err(e) => return Err(Error::io("rename into", to)(e)),
    }
    sync_directory(to.parent().unwrap_or(Path::new(".")))
}

fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", path))
}

#[cfg(test)]
mod tests;
