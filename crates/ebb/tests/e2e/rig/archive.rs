//! The sample app as an image archive.

use std::{fs::File, path::Path};

use images::{FileSystem, ImageBuilder, ImageConfig};

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));

/// Writes an OCI archive of the sample under this name.
pub(crate) fn hello(path: &Path, name: &str) {
    let files = FileSystem::new().file("/hello", 0o755, PROGRAM).unwrap();
    let config = ImageConfig {
        entrypoint: vec!["/hello".into()],
        env: vec![("VERSION".into(), name.rsplit(':').next().unwrap().into())],
        ..ImageConfig::default()
    };
    let archive = ImageBuilder { files, config };
    archive.write_archive(&name.parse().unwrap(), File::create(path).unwrap()).unwrap();
}
