//! Layers to directories.
//!
//! A layer is a tar of changes. [`Style::Overlay`] writes it as overlayfs reads a layer, one directory
//! each: removed names become character devices 0/0, replaced directories get `trusted.overlay.opaque`.
//! That needs root. [`Style::Flat`] applies the changes to one directory that already holds the layers
//! below.
//!
//! The tar is untrusted: every path is resolved inside the directory by the kernel, entries that leave
//! it are refused, device nodes are not made (a container's devices come from its runtime), and
//! attributes that steer overlayfs are dropped.

mod attributes;
mod layer;
mod path;
mod root;
mod whiteout;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::digest::Hashing;
use crate::tarball::{self, Bounds, TarEntry};
use crate::{Digest, Error, Limits, Result, compression};

use layer::Layer;
pub(crate) use path::inside;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Overlay,
    Flat,
}

/// Applies the layer in `blob` (compressed or not) to the directory `root` and syncs it to disk. The
/// plain tar must have the digest `diff_id`; on any error what `root` holds is to be thrown away.
pub(crate) fn apply(blob: &Path, diff_id: &Digest, root: &Path, style: Style, limits: &Limits) -> Result<()> {
    let mut layer = Layer::new(root, style, limits)?;
    read(blob, diff_id, limits, &mut |entry| layer.apply(entry))?;
    layer.finish()
}

/// That the layer can be read and is what it should be, for a store that unpacks later.
pub(crate) fn verify(blob: &Path, diff_id: &Digest, limits: &Limits) -> Result<()> {
    read(blob, diff_id, limits, &mut |_| Ok(()))
}

fn read(
    blob: &Path,
    diff_id: &Digest,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut TarEntry<'_, '_>) -> Result<()>,
) -> Result<()> {
    let name = diff_id.to_string();
    let malformed =
        |entry: &str, reason: String| Error::Layer { layer: name.clone(), entry: entry.to_owned(), reason };
    let file = File::open(blob).map_err(Error::io("open", blob))?;
    let plain = compression::decoded(BufReader::with_capacity(128 << 10, file))
        .map_err(|e| malformed("start", e.to_string()))?;
    let mut plain = Hashing::new(plain);
    let bounds = Bounds {
        what: format!("layer {diff_id}"),
        bytes: (limits.layer_bytes_max, "layer_bytes_max"),
        entries: (limits.layer_entries_max, "layer_entries_max"),
        header_bytes: (limits.tar_header_bytes_max, "tar_header_bytes_max"),
    };
    tarball::for_each(&mut plain, &bounds, &malformed, visit)?;
    let (_, found, _) = plain.finish();
    if found != *diff_id {
        return Err(malformed("end", format!("the content's digest is {found}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
