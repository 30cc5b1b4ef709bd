//! From a digest to an [`Image`]: follow index, manifest and config, and check what they say of each
//! other.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::image::{Image, LayerBlob};
use super::{Layers, Store, make_root, publish};
use crate::config::ConfigFile;
use crate::manifest::{Descriptor, Document, Manifest};
use crate::unpack::{self, Style};
use crate::{Digest, Error, Limits, Result};

/// An index may name another index (archives of several platforms do), but not without end.
const INDEX_DEPTH_MAX: usize = 3;

/// Finds the file of a blob: in the store, or among what an ingest has received.
pub(super) trait Blobs {
    fn path(&self, digest: &Digest) -> Option<PathBuf>;
}

impl Blobs for Store {
    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.blob_path(digest);
        path.is_file().then_some(path)
    }
}

impl Store {
    pub(super) fn read_image(&self, digest: &Digest) -> Result<Arc<Image>> {
        Ok(Arc::new(self.with_layers(self.describe(digest, self)?, self)?))
    }

    /// The image that `digest` names, by its documents alone.
    pub(super) fn describe(&self, digest: &Digest, blobs: &dyn Blobs) -> Result<Image> {
        let (manifest_digest, manifest) = self.manifest(digest, blobs)?;
        if manifest.layers.len() > self.limits().layers_max {
            return Err(Error::TooLarge {
                what: format!("number of layers of manifest {manifest_digest}"),
                limit_name: "layers_max",
                limit: self.limits().layers_max as u64,
            });
        }
        let config_digest = manifest.config.digest.clone();
        let config = ConfigFile::parse(&self.document(&config_digest, blobs)?, &config_digest)?;
        if let Some(platform) = config.platform()
            && !self.platform().runs(&platform)
        {
            let wanted = self.platform().to_string();
            return Err(Error::Platform { found: platform.to_string(), wanted });
        }
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            let (layers, diff_ids) = (manifest.layers.len(), diff_ids.len());
            let reason = format!("{layers} layers, but its config has {diff_ids} diff_ids");
            return Err(Error::Content { what: format!("manifest {manifest_digest}"), reason });
        }
        let layer = |(descriptor, diff_id): (&Descriptor, &Digest)| LayerBlob {
            blob: descriptor.digest.clone(),
            size: descriptor.size,
            diff_id: diff_id.clone(),
        };
        Ok(Image {
            digest: digest.clone(),
            manifest: manifest_digest,
            layers: Vec::new(),
            size: manifest.layers.iter().chain([&manifest.config]).map(|d| d.size).sum(),
            loaded: self.received_at(digest, blobs)?,
            config_digest,
            layer_blobs: manifest.layers.iter().zip(diff_ids).map(layer).collect(),
            config: config.image_config(),
        })
    }

    /// Checks that the layers are there, and unpacks them when this store does that.
    pub(super) fn with_layers(&self, mut image: Image, blobs: &dyn Blobs) -> Result<Image> {
        for layer in &image.layer_blobs {
            let path = check_size(layer, blobs)?;
            if self.0.config.layers == Layers::Overlay {
                image.layers.push(self.unpacked(&path, &layer.diff_id)?);
            }
        }
        Ok(image)
    }

    /// When a blob was written here: whoever loads it again writes it anew.
    fn received_at(&self, digest: &Digest, blobs: &dyn Blobs) -> Result<SystemTime> {
        let path = blobs.path(digest).ok_or_else(|| missing(digest))?;
        path.metadata().and_then(|file| file.modified()).map_err(Error::io("stat", &path))
    }

    fn manifest(&self, digest: &Digest, blobs: &dyn Blobs) -> Result<(Digest, Manifest)> {
        let mut digest = digest.clone();
        for _ in 0..=INDEX_DEPTH_MAX {
            match Document::parse(&self.document(&digest, blobs)?, &digest)? {
                Document::Manifest(manifest) => return Ok((digest, manifest)),
                Document::Index(index) => digest = index.select(self.platform())?.digest.clone(),
            }
        }
        let reason = format!("more than {INDEX_DEPTH_MAX} indexes inside each other");
        Err(Error::Content { what: format!("manifest {digest}"), reason })
    }

    /// A manifest, index or config, checked against its digest.
    pub(super) fn document(&self, digest: &Digest, blobs: &dyn Blobs) -> Result<Vec<u8>> {
        let path = blobs.path(digest).ok_or_else(|| missing(digest))?;
        let limit = self.limits().document_bytes_max;
        let bytes = read_bounded(&path, limit).map_err(Error::io("read", &path))?;
        let Some(bytes) = bytes else {
            let what = format!("document {digest}");
            return Err(Error::TooLarge { what, limit_name: "document_bytes_max", limit });
        };
        let found = Digest::of(&bytes);
        if found != *digest {
            let reason = format!("its digest is {found}");
            return Err(Error::Content { what: format!("blob {digest}"), reason });
        }
        Ok(bytes)
    }

    /// The directory of a layer, unpacked now unless it is there.
    fn unpacked(&self, blob: &Path, diff_id: &Digest) -> Result<PathBuf> {
        let target = self.layer_path(diff_id);
        if target.is_dir() {
            return Ok(target);
        }
        let tmp = self.dir().join("tmp");
        let staging = tempfile::Builder::new()
            .prefix("layer-")
            .tempdir_in(&tmp)
            .map_err(Error::io("make a directory in", &tmp))?;
        let root = staging.path().join("root");
        make_root(&root)?;
        unpack::apply(blob, diff_id, &root, Style::Overlay, self.limits())?;
        publish(&root, &target)?;
        Ok(target)
    }
}

/// What unpacking would have checked, where layers are not unpacked.
pub(super) fn verify_layers(image: &Image, blobs: &dyn Blobs, limits: &Limits) -> Result<()> {
    image.layer_blobs.iter().try_for_each(|layer| {
        let path = blobs.path(&layer.blob).ok_or_else(|| missing(&layer.blob))?;
        unpack::verify(&path, &layer.diff_id, limits)
    })
}

fn check_size(layer: &LayerBlob, blobs: &dyn Blobs) -> Result<PathBuf> {
    let path = blobs.path(&layer.blob).ok_or_else(|| missing(&layer.blob))?;
    let found = path.metadata().map_err(Error::io("stat", &path))?.len();
    if found != layer.size {
        let reason = format!("{found} bytes, but its descriptor says {}", layer.size);
        return Err(Error::Content { what: format!("blob {}", layer.blob), reason });
    }
    Ok(path)
}

pub(super) fn missing(digest: &Digest) -> Error {
    Error::Content { what: format!("blob {digest}"), reason: "missing".to_owned() }
}

fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
