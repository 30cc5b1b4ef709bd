//! The sample app, carried inside the binary, as an OCI image made by our own code.

use images::{FileSystem, ImageBuilder, ImageConfig, Reference, Store};

/// The static program of `samples/hello`, built by `build.rs`.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));

/// Puts the sample into a store under this name. Blocks.
pub(crate) fn load(store: &Store, reference: &Reference) -> Result<(), images::Error> {
    let files = FileSystem::new().file("/hello", 0o755, PROGRAM)?.file(
        "/etc/passwd",
        0o644,
        "root:x:0:0::/:/hello\nnonroot:x:65532:65532::/:/hello\n",
    )?;
    let config = ImageConfig {
        entrypoint: vec!["/hello".into()],
        user: "65532:65532".into(),
        working_dir: "/".into(),
        ..ImageConfig::default()
    };
    ImageBuilder { files, config }.store(store, reference)?;
    Ok(())
}
