//! `index.json` and `blobs/`. (OCI image specification, image-layout.md.)
//! Docker writes this too since version 25, with its own `manifest.json` beside it.

use super::{Contents, DOCKER_MANIFEST, Found, OCI_INDEX, docker_save, malformed};
use crate::manifest::{ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME, Descriptor, Document};
use crate::{Digest, Reference, Result};

pub(super) fn images(contents: &mut Contents) -> Result<Vec<Found>> {
    let bytes = contents.document(OCI_INDEX).unwrap_or_default();
    let index = match Document::parse(bytes, &Digest::of(bytes)) {
        Ok(Document::Index(index)) => index,
        Ok(Document::Manifest(_)) => return Err(malformed(OCI_INDEX, "not an image index".to_owned())),
        Err(error) => return Err(malformed(OCI_INDEX, error.to_string())),
    };
    let mut found: Vec<Found> = Vec::new();
    for descriptor in &index.manifests {
        contents.check(OCI_INDEX, descriptor)?;
        let name = name(descriptor)?;
        // The same image under several names is listed once for each.
        match found.iter_mut().find(|image| image.digest == descriptor.digest) {
            Some(image) => image.names.extend(name),
            None => {
                found.push(Found { digest: descriptor.digest.clone(), names: name.into_iter().collect() })
            }
        }
    }
    if contents.document(DOCKER_MANIFEST).is_some() {
        let tags = docker_save::tags_by_config(contents)?;
        for image in found.iter_mut().filter(|image| image.names.is_empty()) {
            let document = contents.ingest.document(&image.digest)?;
            if let Document::Manifest(manifest) = Document::parse(&document, &image.digest)? {
                image.names = tags.get(&manifest.config.digest).cloned().unwrap_or_default();
            }
        }
    }
    Ok(found)
}

/// The whole name if there is one. `ref.name` is often only a tag, which names no repository.
fn name(descriptor: &Descriptor) -> Result<Option<Reference>> {
    let whole = descriptor.annotation(ANNOTATION_IMAGE_NAME);
    let partial = descriptor.annotation(ANNOTATION_REF_NAME).filter(|name| name.contains(['/', ':']));
    whole.or(partial).map(str::parse).transpose()
}
