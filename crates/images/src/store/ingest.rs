//! New content, from the first byte to the commit. Dropped before that, it leaves nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::content::{Blobs, missing, verify_layers};
use super::image::Image;
use super::{Layers, Store, sync_directory};
use crate::digest::Hashing;
use crate::{Digest, Error, Reference, Result};

pub(crate) struct Ingest {
    store: Store,
    dir: TempDir,
    received: HashMap<Digest, PathBuf>,
    /// Content of the store that this ingest relies on.
    pinned: Vec<Digest>,
    files: u64,
}

impl Store {
    pub(crate) fn ingest(&self) -> Result<Ingest> {
        let tmp = self.dir().join("tmp");
        let dir = tempfile::Builder::new()
            .prefix("ingest-")
            .tempdir_in(&tmp)
            .map_err(Error::io("make a directory in", &tmp))?;
        Ok(Ingest { store: self.clone(), dir, received: HashMap::new(), pinned: Vec::new(), files: 0 })
    }
}

impl Blobs for Ingest {
    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        self.received.get(digest).cloned().or_else(|| self.store.path(digest))
    }
}

impl Ingest {
    /// A path for a file that will be given to `received` when it is written.
    pub(crate) fn new_file(&mut self) -> PathBuf {
        self.files += 1;
        self.dir.path().join(self.files.to_string())
    }

    /// The file at `path` has this digest: whoever wrote it has checked.
    pub(crate) fn received(&mut self, digest: Digest, path: PathBuf) {
        self.received.insert(digest, path);
    }

    /// Writes all of `reader` and returns its digest and size.
    pub(crate) fn write(&mut self, reader: &mut dyn Read) -> io::Result<(Digest, u64)> {
        let path = self.new_file();
        let mut file = Hashing::new(File::create(&path)?);
        io::copy(reader, &mut file)?;
        let (_, digest, size) = file.finish();
        self.received(digest.clone(), path);
        Ok((digest, size))
    }

    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> Result<Digest> {
        let at = self.dir.path().to_owned();
        Ok(self.write(&mut &*bytes).map_err(Error::io("write to", &at))?.0)
    }

    /// True when the content need not be fetched. It stays until this ingest ends.
    pub(crate) fn has(&mut self, digest: &Digest) -> bool {
        if self.received.contains_key(digest) {
            return true;
        }
        self.pin(digest);
        self.store.path(digest).is_some()
    }

    pub(crate) fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.store.document(digest, self)
    }

    fn pin(&mut self, digest: &Digest) {
        *self.store.0.state.write().pins.entry(digest.clone()).or_default() += 1;
        self.pinned.push(digest.clone());
    }

    /// Makes each image appear under its references, all or none. What was received and belongs to none
    /// of them is dropped. Blocks: unpacks and syncs.
    pub(crate) fn commit(mut self, named: Vec<(Reference, Digest)>) -> Result<Vec<(Reference, Arc<Image>)>> {
        let committed = self.try_commit(named);
        if committed.is_err() {
            // Layers may have been unpacked before one failed.
            let store = self.store.clone();
            drop(self);
            if let Err(error) = store.collect() {
                tracing::warn!(%error, "what a failed load unpacked is still there");
            }
        }
        committed
    }

    fn try_commit(&mut self, named: Vec<(Reference, Digest)>) -> Result<Vec<(Reference, Arc<Image>)>> {
        let mut images: BTreeMap<&Digest, Arc<Image>> = BTreeMap::new();
        for (_, digest) in &named {
            if images.contains_key(digest) {
                continue;
            }
            let image = self.store.describe(digest, self)?;
            // Before looking for its parts: what the store has must stay until it is listed.
            image.content().for_each(|digest| self.pin(digest));
            let image = self.store.with_layers(image, self)?;
            if self.store.0.config.layers == Layers::Flat {
                verify_layers(&image, self, self.store.limits())?;
            }
            images.insert(digest, Arc::new(image));
        }
        for digest in images.values().flat_map(|image| image.blobs()) {
            match self.received.remove(digest) {
                Some(path) => adopt(&path, &self.store.blob_path(digest))?,
                None if self.store.path(digest).is_some() => {}
                None => return Err(missing(digest)),
            }
        }
        sync_directory(&self.store.dir().join("blobs/sha256"))?;
        let image = |digest: &Digest| Arc::clone(&images[digest]);
        let named: Vec<_> = named.iter().map(|(name, digest)| (name.clone(), image(digest))).collect();
        self.store.change(|listed| {
            list(listed, &named);
            Ok(())
        })?;
        Ok(named)
    }
}

/// Adds `named` to the listed images. Content whose tag moves away is listed by its digest, and content
/// that gets a tag no longer is.
fn list(listed: &mut BTreeMap<Reference, Arc<Image>>, named: &[(Reference, Arc<Image>)]) {
    for (reference, image) in named {
        let replaced = listed.insert(reference.clone(), Arc::clone(image));
        if let Some(old) = replaced.filter(|old| old.digest != image.digest)
            && !listed.values().any(|other| other.digest == old.digest)
        {
            listed.insert(reference.at(old.digest.clone()), old);
        }
    }
    let asked_for = |reference: &Reference| named.iter().any(|(name, _)| name == reference);
    let tagged = |image: &Image| {
        named.iter().any(|(name, other)| name.tag().is_some() && other.digest == image.digest)
    };
    listed.retain(|reference, image| reference.tag().is_some() || asked_for(reference) || !tagged(image));
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.store.unpin(&self.pinned);
    }
}

/// Moves a received file to its place, durably; an equal one may be there already.
fn adopt(from: &Path, to: &Path) -> Result<()> {
    File::open(from).and_then(|file| file.sync_all()).map_err(Error::io("sync", from))?;
    fs::rename(from, to).map_err(Error::io("rename into", to))
}
