//! The sample app, carried inside the binary, as an OCI image made by our own code.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Result, anyhow};
use images::{FileSystem, ImageBuilder, ImageConfig, Reference, Store};

/// The name it has in the demo and in an archive; no registry is asked for it.
pub(crate) const IMAGE: &str = "dev.local/hello:1";

/// The static program of `samples/hello`, built by `build.rs`.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));

/// Puts the sample into a store. Blocks.
pub(crate) fn load(store: &Store) -> Result<()> {
    builder()?.store(store, &reference()?)?;
    Ok(())
}

/// Writes the sample as an archive that `ebb image load` reads. Blocks.
pub(crate) fn write(to: &Path) -> Result<()> {
    if to == Path::new("-") {
        return archive(std::io::stdout().lock());
    }
    let written = File::create(to).map_err(anyhow::Error::from).and_then(archive);
    written.map_err(|error| {
        anyhow!("--image: cannot write {}: {error:#}; name a file that can be written", to.display())
    })?;
    let mut out = std::io::stdout();
    writeln!(out, "The sample's image, {IMAGE}, is in {0}. Load it:  ebb image load {0}", to.display())?;
    Ok(())
}

fn archive(to: impl Write) -> Result<()> {
    builder()?.write_archive(&reference()?, BufWriter::new(to))?;
    Ok(())
}

fn reference() -> Result<Reference> {
    Ok(IMAGE.parse()?)
}

fn builder() -> Result<ImageBuilder> {
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
    Ok(ImageBuilder { files, config })
}
