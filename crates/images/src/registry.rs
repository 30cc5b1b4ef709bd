//! Registries: from a tag to a digest, and from a digest to an image in the store.
//!
//! Every call makes its own connection state, so that the credentials of one caller never serve
//! another. Registries on loopback, and those listed as insecure, are spoken to in plain HTTP.

mod blob;
mod cause;
mod keyring;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;

use crate::manifest::{
    DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, Document, INDEX, Index, MANIFEST, Manifest,
};
use crate::{Digest, Error, Image, Limits, Reference, RegistryCause, Result, Store};

use cause::cause;
pub use keyring::Keyring;

#[derive(Clone, Debug)]
pub struct RegistryConfig {
    /// Registries, as `host[:port]`, that speak plain HTTP. Loopback need not be listed.
    pub insecure: Vec<String>,
    /// For one connection to be made.
    pub connect_timeout: Duration,
    /// For a tag to be resolved, and for each manifest of a pull: a wrong name is known after this.
    pub manifest_timeout: Duration,
    /// For the next bytes of a blob.
    pub read_timeout: Duration,
    /// For a whole pull.
    pub pull_timeout: Duration,
    /// Blobs of one image downloaded at once.
    pub downloads_max: usize,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        RegistryConfig {
            insecure: Vec::new(),
            connect_timeout: Duration::from_secs(2),
            manifest_timeout: Duration::from_secs(4),
            read_timeout: Duration::from_secs(30),
            pull_timeout: Duration::from_secs(15 * 60),
            downloads_max: 3,
        }
    }
}

/// A client for all registries. Cheap to make.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    config: RegistryConfig,
}

impl Registries {
    pub fn new(config: RegistryConfig) -> Self {
        Registries { config }
    }

    /// The digest that the reference's tag has now, by a HEAD request; its own digest if it has one.
    pub async fn resolve(&self, reference: &Reference, keyring: &Keyring) -> Result<Digest> {
        if let Some(digest) = reference.digest() {
            return Ok(digest.clone());
        }
        let request = Request::new("resolving", reference, keyring, &self.config)?;
        let asked = request.client.fetch_manifest_digest(&request.remote, &request.auth);
        let digest = request.within(self.config.manifest_timeout, asked).await?;
        digest.parse().map_err(|e| request.failed(RegistryCause::Invalid(format!("digest {digest:?}: {e}"))))
    }

    /// Brings the image into the store under `reference`. Blobs that the store has are not fetched.
    pub async fn pull(&self, store: &Store, reference: &Reference, keyring: &Keyring) -> Result<Arc<Image>> {
        let request = Request::new("pulling", reference, keyring, &self.config)?;
        let pulled = tokio::time::timeout(self.config.pull_timeout, request.pull(store, reference));
        match pulled.await {
            Ok(result) => result,
            Err(_) => Err(request.failed(RegistryCause::Timeout(self.config.pull_timeout))),
        }
    }
}

/// One call to one registry.
struct Request<'a> {
    action: &'static str,
    reference: &'a Reference,
    remote: oci_client::Reference,
    client: oci_client::Client,
    auth: RegistryAuth,
    config: &'a RegistryConfig,
}

impl<'a> Request<'a> {
    fn new(
        action: &'static str,
        reference: &'a Reference,
        keyring: &Keyring,
        config: &'a RegistryConfig,
    ) -> Result<Self> {
        let plain = is_loopback(reference.registry())
            || config.insecure.iter().any(|registry| registry == reference.registry());
        let client = oci_client::Client::try_from(ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(config.connect_timeout),
            read_timeout: Some(config.read_timeout),
            user_agent: concat!("ebb/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        });
        let client = client.map_err(|e| failed(action, reference, cause(&e, config.connect_timeout)))?;
        let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
        let remote = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => {
                oci_client::Reference::with_digest(registry, repository, digest.as_str().to_owned())
            }
            (None, tag) => {
                oci_client::Reference::with_tag(registry, repository, tag.unwrap_or_default().to_owned())
            }
        };
        let auth = keyring.auth(reference);
        Ok(Request { action, reference, remote, client, auth, config })
    }

    /// Downloads one blob to `path`.
    async fn fetch(&self, descriptor: &Descriptor, path: PathBuf) -> Result<(Digest, PathBuf)> {
        self.download(descriptor, &path).await?;
        Ok((descriptor.digest.clone(), path))
    }

    async fn pull(&self, store: &Store, reference: &Reference) -> Result<Arc<Image>> {
        let mut ingest = store.ingest()?;
        let (bytes, digest) = self.manifest(&self.remote).await?;
        ingest.write_bytes(&bytes)?;
        let manifest = match Document::parse(&bytes, &digest)? {
            Document::Manifest(manifest) => manifest,
            Document::Index(index) => {
                let (bytes, manifest) = self.select(&index, store).await?;
                ingest.write_bytes(&bytes)?;
                manifest
            }
        };
        check_total(&manifest, store.limits())?;
        let mut wanted: Vec<&Descriptor> = Vec::new();
        for blob in manifest.layers.iter().chain([&manifest.config]) {
            if !ingest.has(&blob.digest) && !wanted.iter().any(|other| other.digest == blob.digest) {
                wanted.push(blob);
            }
        }
        let downloads: Vec<_> =
            wanted.into_iter().map(|descriptor| self.fetch(descriptor, ingest.new_file())).collect();
        let downloaded: Vec<_> =
            stream::iter(downloads).buffer_unordered(self.config.downloads_max).try_collect().await?;
        for (digest, path) in downloaded {
            ingest.received(digest, path);
        }
        let named = vec![(reference.clone(), digest)];
        // Not cancelled with this future: a commit that began is finished.
        let committed = tokio::task::spawn_blocking(move || ingest.commit(named)).await;
        let images = match committed {
            Ok(images) => images?,
            Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
            Err(e) => return Err(self.failed(RegistryCause::Unavailable(e.to_string()))),
        };
        let [(_, image)] = images.as_slice() else { unreachable!("one image was committed") };
        Ok(Arc::clone(image))
    }

    async fn select(&self, index: &Index, store: &Store) -> Result<(Vec<u8>, Manifest)> {
        let digest = &index.select(store.platform())?.digest;
        let (bytes, digest) =
            self.manifest(&self.remote.clone_with_digest(digest.as_str().to_owned())).await?;
        match Document::parse(&bytes, &digest)? {
            Document::Manifest(manifest) => Ok((bytes, manifest)),
            Document::Index(_) => {
                Err(self.failed(RegistryCause::Invalid(format!("{digest} is an index inside an index"))))
            }
        }
    }

    async fn manifest(&self, remote: &oci_client::Reference) -> Result<(Vec<u8>, Digest)> {
        let accepted = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
        let asked = self.client.pull_manifest_raw(remote, &self.auth, &accepted);
        let (bytes, _) = self.within(self.config.manifest_timeout, asked).await?;
        // The registry may have checked by another algorithm; the store knows only this one.
        let digest = Digest::of(&bytes);
        if remote.digest().is_some_and(|expected| expected != digest.as_str()) {
            return Err(self.failed(RegistryCause::Invalid(format!("manifest has digest {digest}"))));
        }
        Ok((bytes.to_vec(), digest))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = Result<T, OciDistributionError>>,
    ) -> Result<T> {
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e)) => Err(self.failed(cause(&e, self.config.connect_timeout))),
            Err(_) => Err(self.failed(RegistryCause::Timeout(limit))),
        }
    }

    fn failed(&self, cause: RegistryCause) -> Error {
        failed(self.action, self.reference, cause)
    }
}

fn failed(action: &'static str, reference: &Reference, cause: RegistryCause) -> Error {
    let registry = reference.registry().to_owned();
    Error::Registry { action, reference: reference.to_string(), registry, cause }
}

fn check_total(manifest: &Manifest, limits: &Limits) -> Result<()> {
    let sizes = manifest.layers.iter().chain([&manifest.config]).map(|blob| blob.size);
    let limit = limits.archive_bytes_max;
    match sizes.fold(0u64, u64::saturating_add) {
        total if total > limit => Err(Error::TooLarge {
            what: format!("sum of blobs of manifest with config {}", manifest.config.digest),
            limit_name: "archive_bytes_max",
            limit,
        }),
        _ => Ok(()),
    }
}

fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
