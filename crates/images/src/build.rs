//! Images from files: one layer, whose bytes depend on nothing but the input.
//!
//! Entries are sorted, times are zero, owners are numbers and every parent directory is written, so
//! equal input has an equal digest on every machine.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tar::{EntryType, Header};

use crate::config::ConfigFile;
use crate::digest::Hashing;
use crate::manifest::{
    ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME, CONFIG, Descriptor, INDEX, Index, LAYER_GZIP, MANIFEST,
    Manifest, Platform,
};
use crate::{Digest, Error, Image, ImageConfig, Reference, Result, Store, unpack};

/// The content of a layer, by absolute or relative path. Adding a path again replaces it.
#[derive(Clone, Debug, Default)]
pub struct FileSystem {
    nodes: BTreeMap<PathBuf, Node>,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    mode: u32,
    owner: (u32, u32),
}

#[derive(Clone, Debug)]
enum Kind {
    Directory,
    Bytes(Vec<u8>),
    Symlink(PathBuf),
}

const DIRECTORY_MODE: u32 = 0o755;
const LINK_MODE: u32 = 0o777;

impl FileSystem {
    /// One without anything in it.
    pub fn new() -> Self {
        FileSystem::default()
    }

    /// Adds a directory with these permissions. Like all that is added it is root's, its missing parents are made with
    /// 0755, and a path with `..`, of the root itself or below what is no directory is an error.
    pub fn directory(self, path: impl AsRef<Path>, mode: u32) -> Result<Self> {
        self.add(path.as_ref(), Kind::Directory, mode)
    }

    /// Adds a file with these permissions and this content.
    pub fn file(self, path: impl AsRef<Path>, mode: u32, content: impl Into<Vec<u8>>) -> Result<Self> {
        self.add(path.as_ref(), Kind::Bytes(content.into()), mode)
    }

    /// Adds a symbolic link, whose target is written as it is given.
    pub fn symlink(self, path: impl AsRef<Path>, target: impl Into<PathBuf>) -> Result<Self> {
        self.add(path.as_ref(), Kind::Symlink(target.into()), LINK_MODE)
    }

    /// Gives a path that was added to another user and group than root.
    pub fn owned(mut self, path: impl AsRef<Path>, uid: u32, gid: u32) -> Result<Self> {
        let path = relative(path.as_ref())?;
        match self.nodes.get_mut(&path) {
            Some(node) => node.owner = (uid, gid),
            None => return Err(bad_path(&path, "was not added")),
        }
        Ok(self)
    }

    fn add(mut self, path: &Path, kind: Kind, mode: u32) -> Result<Self> {
        let path = relative(path)?;
        for parent in path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()) {
            let directory = Node { kind: Kind::Directory, mode: DIRECTORY_MODE, owner: (0, 0) };
            let node = self.nodes.entry(parent.to_owned()).or_insert(directory);
            if !matches!(node.kind, Kind::Directory) {
                return Err(bad_path(&path, "is below something that is not a directory"));
            }
        }
        self.nodes.insert(path, Node { kind, mode: mode & 0o7777, owner: (0, 0) });
        Ok(self)
    }

    fn write_tar(&self, out: impl Write) -> io::Result<()> {
        let mut tar = tar::Builder::new(out);
        for (path, node) in &self.nodes {
            let mut header = Header::new_ustar();
            header.set_mode(node.mode);
            header.set_uid(node.owner.0.into());
            header.set_gid(node.owner.1.into());
            header.set_mtime(0);
            header.set_size(0);
            match &node.kind {
                Kind::Directory => {
                    header.set_entry_type(EntryType::Directory);
                    tar.append_data(&mut header, path.join(""), io::empty())?;
                }
                Kind::Bytes(bytes) => {
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, path, bytes.as_slice())?;
                }
                Kind::Symlink(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    tar.append_link(&mut header, path, target)?;
                }
            }
        }
        tar.into_inner()?.flush()
    }
}

fn relative(path: &Path) -> Result<PathBuf> {
    let inside = unpack::inside(path).ok_or_else(|| bad_path(path, "has `..` in it"))?;
    if inside.as_os_str().is_empty() { Err(bad_path(path, "is the root itself")) } else { Ok(inside) }
}

fn bad_path(path: &Path, reason: &str) -> Error {
    Error::Content { what: format!("path {}", path.display()), reason: reason.to_owned() }
}

/// An image to be: files and how to run them, for this machine's platform.
#[derive(Clone, Debug, Default)]
pub struct ImageBuilder {
    /// Its one layer.
    pub files: FileSystem,
    /// How it is run.
    pub config: ImageConfig,
}

/// The four parts of a built image; the layer is in a file.
struct Parts {
    layer: (Digest, PathBuf),
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl ImageBuilder {
    /// Puts the image into the store under `reference`. Blocks.
    pub fn store(&self, store: &Store, reference: &Reference) -> Result<Arc<Image>> {
        let mut ingest = store.ingest()?;
        let parts = self.parts(ingest.new_file())?;
        ingest.received(parts.layer.0, parts.layer.1);
        ingest.write_bytes(&parts.config)?;
        let digest = ingest.write_bytes(&parts.manifest)?;
        let images = ingest.commit(vec![(reference.clone(), digest)])?;
        let [(_, image)] = images.as_slice() else { unreachable!("one image was committed") };
        Ok(Arc::clone(image))
    }

    /// Writes the image as an OCI image layout, which [`load`](crate::load), Docker and others read, and
    /// returns its digest. Blocks.
    pub fn write_archive(&self, reference: &Reference, out: impl Write) -> Result<Digest> {
        let dir = tempfile::tempdir().map_err(Error::io("make a directory in", &std::env::temp_dir()))?;
        let parts = self.parts(dir.path().join("layer"))?;
        let digest = Digest::of(&parts.manifest);
        let mut descriptor = Descriptor::new(MANIFEST, digest.clone(), parts.manifest.len() as u64);
        descriptor.platform = Some(Platform::host());
        let whole = (ANNOTATION_IMAGE_NAME.to_owned(), reference.to_string());
        let tag = reference.tag().map(|tag| (ANNOTATION_REF_NAME.to_owned(), tag.to_owned()));
        descriptor.annotations = Some([whole].into_iter().chain(tag).collect());
        let index =
            json(&Index { schema_version: 2, media_type: INDEX.to_owned(), manifests: vec![descriptor] })?;
        let mut tar = tar::Builder::new(out);
        let written = (|| {
            append(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
            append(&mut tar, "index.json", &index)?;
            for document in [&parts.manifest, &parts.config] {
                append(&mut tar, &blob_name(&Digest::of(document)), document)?;
            }
            let layer = fs::read(&parts.layer.1)?;
            append(&mut tar, &blob_name(&parts.layer.0), &layer)?;
            tar.into_inner()?.flush()
        })();
        written.map_err(Error::io("write the archive of", reference.to_string().as_ref()))?;
        Ok(digest)
    }

    fn parts(&self, layer_path: PathBuf) -> Result<Parts> {
        let failed = |e: io::Error| Error::io("write", &layer_path)(e);
        let file = File::create(&layer_path).map_err(failed)?;
        let gzip = flate2::GzBuilder::new().mtime(0).write(Hashing::new(file), flate2::Compression::fast());
        let mut plain = Hashing::new(gzip);
        self.files.write_tar(&mut plain).map_err(failed)?;
        let (gzip, diff_id, _) = plain.finish();
        let (_, blob, size) = gzip.finish().map_err(failed)?.finish();
        let config = json(&ConfigFile::new(&self.config, &Platform::host(), vec![diff_id]))?;
        let manifest = json(&Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            config: Descriptor::new(CONFIG, Digest::of(&config), config.len() as u64),
            layers: vec![Descriptor::new(LAYER_GZIP, blob.clone(), size)],
        })?;
        Ok(Parts { layer: (blob, layer_path), config, manifest })
    }
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(document)
        .map_err(|e| Error::Content { what: "document".to_owned(), reason: e.to_string() })
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

pub(crate) fn append(tar: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, name, content)
}

#[cfg(test)]
mod tests;
