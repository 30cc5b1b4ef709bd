//! What an image tag stands for: in the store of this machine first, then in its registry.

use std::sync::Arc;

use controllers::serving::{ImageQuery, ImageResolver};
use futures::future::BoxFuture;
use images::{Reference, Registries, Store};
use objects::Client;
use tokio::sync::watch;

/// Resolves for the Revision reconciler.
pub(in crate::up) struct Digests {
    client: Client,
    store: Store,
    registries: Arc<Registries>,
}

impl Digests {
    pub(in crate::up) fn new(client: Client, store: Store, registries: Arc<Registries>) -> Self {
        Self { client, store, registries }
    }

    async fn ask(&self, query: &ImageQuery) -> Result<Option<String>, String> {
        let reference = reference(query)?;
        let secrets: Vec<&str> = query.image_pull_secrets.iter().map(String::as_str).collect();
        let keyring = node::image_pull_keyring(&self.client, &query.namespace, &secrets).await;
        let resolved = self.registries.resolve(&reference, &keyring).await;
        resolved.map(|digest| Some(pinned(&reference, &digest))).map_err(|error| error.to_string())
    }
}

fn reference(query: &ImageQuery) -> Result<Reference, String> {
    query.image.parse().map_err(|error: images::Error| error.to_string())
}

fn pinned(reference: &Reference, digest: &images::Digest) -> String {
    format!("{}/{}@{digest}", reference.registry(), reference.repository())
}

impl ImageResolver for Digests {
    fn local(&self, query: &ImageQuery) -> Option<Result<Option<String>, String>> {
        let reference = match reference(query) {
            Ok(reference) => reference,
            Err(error) => return Some(Err(error)),
        };
        let is_named = reference.digest().is_some();
        if let Some(image) = self.store.get(&reference) {
            // Also where upstream keeps the tag: loading another image under it must not change a Revision.
            return Some(Ok((!is_named).then(|| pinned(&reference, &image.digest))));
        }
        (query.keep_tag && !is_named).then(|| {
            Err(format!(
                "image {} is not on this machine, and its registry {} is local-only and never contacted; load it with `ebb image load`",
                query.image,
                reference.registry()
            ))
        })
    }

    fn resolve<'a>(&'a self, image: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(self.ask(image))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.store.changes()
    }
}
