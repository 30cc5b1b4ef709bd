//! Registries: from a tag to a digest, and from a digest to an image in the store.
//!
//! Every call makes its own connection state, so that the credentials of one caller never serve
//! another. Registries on loopback, and those listed as insecure, are spoken to in plain HTTP.

mod blob;
mod cause;
mod challenge;
mod client;
mod keyring;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, Response};

use crate::manifest::{
    DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, Document, INDEX, Index, MANIFEST, Manifest,
};
use crate::{Digest, Error, Image, Limits, Reference, RegistryCause, Result, Store};

use client::Client;
pub use keyring::Keyring;

/// How registries are spoken to, and for how long.
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
    /// Bytes of a manifest or index; they are held in memory (OCI distribution specification: at least 4 MiB are to be
    /// taken).
    pub manifest_bytes_max: u64,
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
            manifest_bytes_max: 4 << 20,
        }
    }
}

/// A client for all registries. Cheap to make.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    config: RegistryConfig,
}

impl Registries {
    /// A client with these limits.
    pub fn new(config: RegistryConfig) -> Self {
        Registries { config }
    }

    /// The digest that the reference's tag has now, by a HEAD request; its own digest if it has one.
    pub async fn resolve(&self, reference: &Reference, keyring: &Keyring) -> Result<Digest> {
        if let Some(digest) = reference.digest() {
            return Ok(digest.clone());
        }
        let request = Request::new("resolving", reference, keyring, &self.config)?;
        request.within(self.config.manifest_timeout, request.resolve()).await
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
    client: Client,
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
        let client = Client::new(reference, keyring.auth(reference), plain, config);
        let client = client.map_err(|cause| failed(action, reference, cause))?;
        Ok(Request { action, reference, client, config })
    }

    /// The digest of what the reference's tag names now, which registries say in a header; one that does not has its
    /// manifest read.
    async fn resolve(&self) -> Result<Digest> {
        let what = format!("manifests/{}", self.name());
        let answer = self.ask(Method::HEAD, &what).await?;
        match self.said_digest(&answer)? {
            Some(digest) if answer.status().is_success() => Ok(digest),
            _ => self.manifest(&self.name()).await.map(|(_, digest)| digest),
        }
    }

    /// The digest or tag that is asked for.
    fn name(&self) -> String {
        match (self.reference.digest(), self.reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or_default().to_owned(),
        }
    }

    async fn ask(&self, method: Method, what: &str) -> Result<Response> {
        let accepted = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
        self.client.ask(method, what, &accepted).await.map_err(|cause| self.failed(cause))
    }

    /// The digest that an answer's header has.
    fn said_digest(&self, answer: &Response) -> Result<Option<Digest>> {
        let Some(said) = answer.headers().get("docker-content-digest") else { return Ok(None) };
        let said = String::from_utf8_lossy(said.as_bytes());
        let digest = said.parse();
        digest.map(Some).map_err(|e| self.failed(RegistryCause::Invalid(format!("digest {said:?}: {e}"))))
    }

    /// Downloads one blob to `path`.
    async fn fetch(&self, descriptor: &Descriptor, path: PathBuf) -> Result<(Digest, PathBuf)> {
        self.download(descriptor, &path).await?;
        Ok((descriptor.digest.clone(), path))
    }

    async fn pull(&self, store: &Store, reference: &Reference) -> Result<Arc<Image>> {
        let mut ingest = store.ingest()?;
        let (bytes, digest) = self.manifest_in_time(&self.name()).await?;
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
        let (bytes, digest) = self.manifest_in_time(digest.as_str()).await?;
        match Document::parse(&bytes, &digest)? {
            Document::Manifest(manifest) => Ok((bytes, manifest)),
            Document::Index(_) => {
                Err(self.failed(RegistryCause::Invalid(format!("{digest} is an index inside an index"))))
            }
        }
    }

    async fn manifest_in_time(&self, name: &str) -> Result<(Vec<u8>, Digest)> {
        self.within(self.config.manifest_timeout, self.manifest(name)).await
    }

    /// A manifest or index by its digest or tag.
    async fn manifest(&self, name: &str) -> Result<(Vec<u8>, Digest)> {
        let answer = self.ask(Method::GET, &format!("manifests/{name}")).await?;
        if !answer.status().is_success() {
            return Err(self.failed(self.client.failure(answer).await));
        }
        let said = self.said_digest(&answer)?;
        let (mut text, limit) = (Vec::new(), self.config.manifest_bytes_max);
        let read = self.client.read(answer, limit, |bytes| text.extend_from_slice(bytes)).await;
        if !read.map_err(|cause| self.failed(cause))? {
            let detail = format!("the manifest is longer than manifest_bytes_max = {limit}");
            return Err(self.failed(RegistryCause::Invalid(detail)));
        }
        let digest = Digest::of(&text);
        let asked = name.parse::<Digest>().ok();
        if [said, asked].into_iter().flatten().any(|expected| expected != digest) {
            return Err(self.failed(RegistryCause::Invalid(format!("manifest has digest {digest}"))));
        }
        Ok((text, digest))
    }

    async fn within<T>(&self, limit: Duration, asked: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(limit, asked).await {
            Ok(answer) => answer,
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
