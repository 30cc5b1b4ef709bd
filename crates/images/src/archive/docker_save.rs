//! `manifest.json` of `docker save`: configs and layers by entry name, tags beside them.
//! There is no OCI manifest in it, so one is written; equal archives give equal digests.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Contents, DOCKER_MANIFEST, Found, malformed};
use crate::manifest::{CONFIG, Descriptor, LAYER, MANIFEST, Manifest};
use crate::{Digest, Error, Reference, Result};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

fn read(contents: &Contents) -> Result<Vec<Saved>> {
    let document = contents.document(DOCKER_MANIFEST).unwrap_or_default();
    serde_json::from_slice(document).map_err(|e| malformed(DOCKER_MANIFEST, e.to_string()))
}

impl Saved {
    fn names(&self) -> Result<Vec<Reference>> {
        self.repo_tags.iter().flatten().map(|tag| tag.parse()).collect()
    }
}

pub(super) fn images(contents: &mut Contents) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for saved in read(contents)? {
        let describe = |name: &String, media_type: &str| -> Result<Descriptor> {
            let (digest, size) = contents.find(name)?;
            Ok(Descriptor::new(media_type, digest.clone(), *size))
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            config: describe(&saved.config, CONFIG)?,
            layers: saved.layers.iter().map(|name| describe(name, LAYER)).collect::<Result<_>>()?,
        };
        let bytes = serde_json::to_vec(&manifest)
            .map_err(|e| Error::Content { what: DOCKER_MANIFEST.to_owned(), reason: e.to_string() })?;
        found.push(Found { digest: contents.ingest.write_bytes(&bytes)?, names: saved.names()? });
    }
    Ok(found)
}

/// For an OCI layout without names: the tags here, by the config both name.
pub(super) fn tags_by_config(contents: &Contents) -> Result<HashMap<Digest, Vec<Reference>>> {
    let mut tags: HashMap<Digest, Vec<Reference>> = HashMap::new();
    for saved in read(contents)? {
        if let Ok((digest, _)) = contents.find(&saved.config) {
            tags.entry(digest.clone()).or_default().extend(saved.names()?);
        }
    }
    Ok(tags)
}
