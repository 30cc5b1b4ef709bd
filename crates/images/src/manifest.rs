//! The documents of an image: index, manifest, descriptor.
//!
//! Own types rather than a crate's because they are written as well as read, and what is written must
//! have one byte form (the digest depends on it), and because old Docker archives need tolerance: a
//! null where a list belongs, an unknown media type, a missing one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, Result};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Where an archive's index keeps an image's tag, and (containerd, Docker) its whole name.
pub(crate) const ANNOTATION_REF_NAME: &str = "org.opencontainers.image.ref.name";
pub(crate) const ANNOTATION_IMAGE_NAME: &str = "io.containerd.image.name";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    pub(crate) fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Descriptor { media_type: media_type.to_owned(), digest, size, platform: None, annotations: None }
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    pub(crate) architecture: String,
    pub(crate) os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
}

impl Platform {
    /// This machine, in Go's words.
    pub(crate) fn host() -> Platform {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            other => other,
        };
        Platform { architecture: architecture.to_owned(), os: "linux".to_owned(), variant: None }
    }

    pub(crate) fn runs(&self, image: &Platform) -> bool {
        self.os == image.os && self.architecture == image.architecture
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u32,
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) manifests: Vec<Descriptor>,
}

/// What a tag or a digest names.
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Index),
}

impl Document {
    /// Told apart by their members, as media types are missing in many archives.
    pub(crate) fn parse(bytes: &[u8], digest: &Digest) -> Result<Document> {
        let what = || format!("manifest {digest}");
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            schema_version: u32,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let content = |e: serde_json::Error| Error::Content { what: what(), reason: e.to_string() };
        let shape: Shape = serde_json::from_slice(bytes).map_err(content)?;
        if shape.schema_version != 2 {
            let reason = format!("schemaVersion {} is not supported, only 2 is", shape.schema_version);
            return Err(Error::Content { what: what(), reason });
        }
        Ok(match shape.manifests {
            Some(_) => Document::Index(serde_json::from_slice(bytes).map_err(content)?),
            None => Document::Manifest(serde_json::from_slice(bytes).map_err(content)?),
        })
    }
}

impl Index {
    /// The manifest for `host`. An entry without a platform is taken when it is the only one.
    pub(crate) fn select(&self, host: &Platform) -> Result<&Descriptor> {
        let fits = |d: &&Descriptor| d.platform.as_ref().is_some_and(|p| host.runs(p));
        if let Some(found) = self.manifests.iter().find(fits) {
            return Ok(found);
        }
        if let [only] = self.manifests.as_slice()
            && only.platform.is_none()
        {
            return Ok(only);
        }
        let known: Vec<String> =
            self.manifests.iter().filter_map(|d| d.platform.as_ref()).map(|p| p.to_string()).collect();
        Err(Error::Platform { found: known.join(", "), wanted: host.to_string() })
    }
}
