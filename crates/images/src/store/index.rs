//! `refs.json`: the list of references, and the only file that is ever rewritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sync_directory;
use crate::{Digest, Error, Reference, Result};

const FILE: &str = "refs.json";
const FORMAT_VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    format_version: u64,
    /// Reference in its normal form → digest of the manifest or index.
    images: BTreeMap<String, Digest>,
}

pub(super) fn read(dir: &Path) -> Result<Vec<(Reference, Digest)>> {
    let path = dir.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("read", &path)(e)),
    };
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        format_version: u64,
    }
    let damaged = |e: serde_json::Error| Error::Io { action: "read", path: path.clone(), cause: e.into() };
    let Version { format_version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if format_version != FORMAT_VERSION {
        return Err(Error::StoreVersion {
            dir: dir.to_owned(),
            found: format_version,
            known: FORMAT_VERSION,
        });
    }
    let file: File = serde_json::from_slice(&bytes).map_err(damaged)?;
    file.images.into_iter().map(|(reference, digest)| Ok((reference.parse()?, digest))).collect()
}

pub(super) fn write<'a>(dir: &Path, images: impl Iterator<Item = (&'a Reference, &'a Digest)>) -> Result<()> {
    let images = images.map(|(reference, digest)| (reference.to_string(), digest.clone())).collect();
    let path = dir.join(FILE);
    let failed = |e: std::io::Error| Error::io("write", &path)(e);
    let mut file = tempfile::NamedTempFile::new_in(dir.join("tmp")).map_err(failed)?;
    let written = serde_json::to_writer_pretty(&mut file, &File { format_version: FORMAT_VERSION, images });
    written.map_err(|e| failed(e.into()))?;
    file.write_all(b"\n").and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(&path).map_err(|e| failed(e.error))?;
    sync_directory(dir)
}
