//! An image as its users see it.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::Store;
use crate::{Digest, ImageConfig, Reference};

/// One image, ready to run on this machine.
#[derive(Debug)]
pub struct Image {
    /// What a tag resolves to: the digest of the manifest, or of the index over several platforms.
    pub digest: Digest,
    /// The manifest for this machine; equal to `digest` without an index.
    pub manifest: Digest,
    /// How it says that it is run.
    pub config: ImageConfig,
    /// Unpacked layers, bottom first: overlayfs lower directories, last one uppermost. Empty in a store
    /// with [`Layers::Flat`](crate::Layers::Flat).
    pub layers: Vec<PathBuf>,
    /// Bytes of all blobs as stored.
    pub size: u64,
    /// When it came into the store. What an image says of its own age is often nothing, or 1970.
    pub loaded: SystemTime,
    pub(super) config_digest: Digest,
    pub(super) layer_blobs: Vec<LayerBlob>,
}

#[derive(Clone, Debug)]
pub(super) struct LayerBlob {
    pub(super) blob: Digest,
    pub(super) size: u64,
    pub(super) diff_id: Digest,
}

impl Image {
    pub(super) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        let documents = [&self.digest, &self.manifest, &self.config_digest];
        documents.into_iter().chain(self.layer_blobs.iter().map(|layer| &layer.blob))
    }

    /// The digests of all it has in the store: blobs and unpacked layers.
    pub(super) fn content(&self) -> impl Iterator<Item = &Digest> {
        self.blobs().chain(self.layer_blobs.iter().map(|layer| &layer.diff_id))
    }

    pub(super) fn summary(&self, reference: &Reference) -> ImageSummary {
        ImageSummary {
            reference: reference.clone(),
            digest: self.digest.clone(),
            size: self.size,
            loaded: self.loaded,
        }
    }
}

/// A line of `ebb image list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSummary {
    /// By digest alone when its tag has moved on.
    pub reference: Reference,
    /// As [`Image::digest`].
    pub digest: Digest,
    /// Bytes of all blobs as stored; images that share layers count them each.
    pub size: u64,
    /// When it came into the store.
    pub loaded: SystemTime,
}

/// An image in use: its files stay until this is dropped. What was removed meanwhile is deleted at the
/// next `remove` or `collect`.
pub struct Lease {
    store: Store,
    image: Arc<Image>,
}

impl Lease {
    pub(super) fn new(store: Store, image: Arc<Image>) -> Self {
        Lease { store, image }
    }
}

impl Deref for Lease {
    type Target = Arc<Image>;

    fn deref(&self) -> &Arc<Image> {
        &self.image
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.store.unpin(self.image.content());
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lease").field(&self.image.digest).finish()
    }
}
