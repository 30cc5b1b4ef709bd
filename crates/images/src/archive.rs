//! Images from a file: an OCI image layout or the output of `docker save`, as one tar.
//!
//! The stream is read once, in whatever order its entries come: documents are kept, everything else is
//! written to the ingest under its digest. What the archive says of itself is only believed at the end,
//! so a malformed one changes nothing.

mod docker_save;
mod oci_layout;

use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use tokio::io::AsyncRead;
use tokio_util::io::SyncIoBridge;

use crate::manifest::Descriptor;
use crate::store::Ingest;
use crate::tarball::{self, Bounds, TarEntry};
use crate::{Digest, Error, Reference, Result, Store, compression};

const OCI_INDEX: &str = "index.json";
const DOCKER_MANIFEST: &str = "manifest.json";

/// How much of an archive that is refused is still taken from whoever sends it, so that they come to hear why.
const UNREAD_BYTES_MAX: u64 = 4 << 30;

/// Loads all images of the archive, compressed or not, and returns their references. With `name`, the
/// archive's only image gets that reference instead of its own. Blocks.
pub fn load(
    store: &Store,
    mut reader: impl Read,
    name: Option<&Reference>,
) -> Result<Vec<(Reference, Digest)>> {
    let mut contents = Contents::receive(store, &mut reader)?;
    let images = if contents.documents.contains_key(OCI_INDEX) {
        oci_layout::images(&mut contents)?
    } else if contents.documents.contains_key(DOCKER_MANIFEST) {
        docker_save::images(&mut contents)?
    } else {
        return Err(malformed(
            OCI_INDEX,
            format!("missing, and so is {DOCKER_MANIFEST}: neither an OCI image layout nor a docker save"),
        ));
    };
    let loaded = contents.ingest.commit(named(images, name)?)?;
    Ok(loaded.into_iter().map(|(reference, image)| (reference, image.digest.clone())).collect())
}

/// As [`load`], from an asynchronous reader, with a name as a user gives it; the work is done on a blocking thread.
pub async fn load_async(
    store: &Store,
    reader: impl AsyncRead + Send + Unpin + 'static,
    name: Option<String>,
) -> Result<Vec<(Reference, Digest)>> {
    let store = store.clone();
    let mut bridge = SyncIoBridge::new(reader);
    let loading = move || {
        let name = name.map(|name| name.parse::<Reference>()).transpose();
        let loaded = name.and_then(|name| load(&store, &mut bridge, name.as_ref()));
        if loaded.is_err() {
            // A client that still sends would find its connection broken, and not see why.
            let _ = io::copy(&mut bridge.take(UNREAD_BYTES_MAX), &mut io::sink());
        }
        loaded
    };
    match tokio::task::spawn_blocking(loading).await {
        Ok(result) => result,
        Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
        Err(e) => Err(malformed("start", e.to_string())),
    }
}

/// An image of the archive and the names it has there.
struct Found {
    digest: Digest,
    names: Vec<Reference>,
}

fn named(images: Vec<Found>, name: Option<&Reference>) -> Result<Vec<(Reference, Digest)>> {
    match (name, images.as_slice()) {
        (_, []) => Err(malformed(OCI_INDEX, "no images".to_owned())),
        (Some(name), [only]) => Ok(vec![(name.clone(), only.digest.clone())]),
        (Some(name), several) => {
            let reason = format!("{} images, so {name} could be the name of any of them", several.len());
            Err(malformed(OCI_INDEX, reason))
        }
        (None, images) => {
            if let Some(nameless) = images.iter().find(|image| image.names.is_empty()) {
                let reason = format!("image {} has no name: give one with --name", nameless.digest);
                return Err(malformed(OCI_INDEX, reason));
            }
            let pairs = |image: &Found| {
                image.names.iter().map(|name| (name.clone(), image.digest.clone())).collect::<Vec<_>>()
            };
            Ok(images.iter().flat_map(pairs).collect())
        }
    }
}

/// What an archive holds, by entry name.
struct Contents {
    ingest: Ingest,
    documents: HashMap<String, Vec<u8>>,
    blobs: HashMap<String, (Digest, u64)>,
    /// Old `docker save` writes a layer that two images share once, and links to it.
    links: HashMap<String, String>,
}

impl Contents {
    fn receive(store: &Store, reader: &mut dyn Read) -> Result<Contents> {
        let limits = store.limits();
        let mut plain = compression::decoded(BufReader::with_capacity(128 << 10, reader))
            .map_err(|e| malformed("start", e.to_string()))?;
        let bounds = Bounds {
            what: "image archive".to_owned(),
            bytes: (limits.archive_bytes_max, "archive_bytes_max"),
            entries: (limits.archive_entries_max, "archive_entries_max"),
            header_bytes: (limits.tar_header_bytes_max, "tar_header_bytes_max"),
        };
        let mut contents = Contents {
            ingest: store.ingest()?,
            documents: HashMap::new(),
            blobs: HashMap::new(),
            links: HashMap::new(),
        };
        tarball::for_each(&mut plain, &bounds, &malformed, &mut |entry| {
            contents.entry(entry, limits.document_bytes_max)
        })?;
        Ok(contents)
    }

    fn entry(&mut self, entry: &mut TarEntry<'_, '_>, document_bytes_max: u64) -> Result<()> {
        let name = entry.name();
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        let kind = entry.kind();
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_target()?.to_string_lossy().into_owned();
            let target = if kind.is_symlink() { beside(&name, &target) } else { target };
            self.links.insert(name, target);
        } else if kind.is_file() {
            if name == OCI_INDEX || name == DOCKER_MANIFEST {
                let document = entry.read_all(document_bytes_max, "document_bytes_max")?;
                self.documents.insert(name, document);
            } else {
                let blob = self.blob(entry, &name)?;
                self.blobs.insert(name, blob);
            }
        }
        Ok(())
    }

    fn blob(&mut self, entry: &mut TarEntry<'_, '_>, name: &str) -> Result<(Digest, u64)> {
        let mut data = Data { entry, failed: None };
        let written = self.ingest.write(&mut data);
        if let Some(error) = data.failed {
            return Err(error);
        }
        let (digest, size) = written.map_err(Error::io("write the entry", name.as_ref()))?;
        if let Some(hex) = name.strip_prefix("blobs/sha256/")
            && hex != digest.hex()
        {
            return Err(malformed(name, format!("its content has digest {digest}")));
        }
        Ok((digest, size))
    }

    fn document(&self, name: &str) -> Option<&[u8]> {
        self.documents.get(name).map(Vec::as_slice)
    }

    /// The blob an entry holds or links to.
    fn find(&self, name: &str) -> Result<&(Digest, u64)> {
        let target = self.links.get(name).map_or(name, String::as_str);
        self.blobs.get(target).ok_or_else(|| malformed(name, "named by the archive, but missing".to_owned()))
    }

    /// That a blob by this digest came, or was in the store before.
    fn check(&mut self, within: &str, descriptor: &Descriptor) -> Result<()> {
        if self.ingest.has(&descriptor.digest) {
            return Ok(());
        }
        Err(malformed(
            &format!("blobs/sha256/{}", descriptor.digest.hex()),
            format!("named by {within}, but missing"),
        ))
    }
}

/// Where a symbolic link in `name`'s directory leads. Only names are compared: nothing is opened.
fn beside(name: &str, target: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn malformed(entry: &str, reason: String) -> Error {
    Error::Archive { entry: entry.to_owned(), reason }
}

/// An entry as a reader that keeps its own error for its caller.
struct Data<'d, 'a, 'r> {
    entry: &'d mut TarEntry<'a, 'r>,
    failed: Option<Error>,
}

impl Read for Data<'_, '_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.entry.read(buf).map_err(|error| {
            self.failed = Some(error);
            io::Error::other("unreadable entry")
        })
    }
}

#[cfg(test)]
mod tests;
