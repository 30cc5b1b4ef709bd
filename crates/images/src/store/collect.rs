//! Deleting what nothing needs.

use std::collections::HashSet;
use std::fs;

use super::Store;
use crate::{Digest, Error, Result};

impl Store {
    /// Deletes blobs and layers that no reference, lease or unfinished ingest needs. Blocks.
    pub fn collect(&self) -> Result<()> {
        let tmp = self.dir().join("tmp");
        let trash = tempfile::Builder::new()
            .prefix("trash-")
            .tempdir_in(&tmp)
            .map_err(Error::io("make a directory in", &tmp))?;
        {
            // Deciding and moving away are one step, or content that an ingest has just found here could
            // go before the ingest pins it. Deleting takes longer and comes after.
            let _turn = self.0.writing.lock();
            let state = self.0.state.write();
            let mut live: HashSet<&Digest> = state.pins.keys().collect();
            live.extend(state.images.values().flat_map(|image| image.content()));
            for sub in ["blobs/sha256", "layers"] {
                let dir = self.dir().join(sub);
                for entry in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
                    let name = entry.map_err(Error::io("list", &dir))?.file_name();
                    let digest = name.to_str().and_then(Digest::from_hex);
                    if digest.is_some_and(|digest| live.contains(&digest)) {
                        continue;
                    }
                    let kind = if sub == "layers" { "layer-" } else { "blob-" };
                    let to = trash.path().join(format!("{kind}{}", name.display()));
                    fs::rename(dir.join(&name), &to).map_err(Error::io("move away to", &to))?;
                }
            }
        }
        trash.close().map_err(Error::io("empty", &tmp))
    }
}
