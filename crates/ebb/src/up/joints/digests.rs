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

    async fn find(&self, query: &ImageQuery) -> Result<Option<String>, String> {
        let reference: Reference = query.image.parse().map_err(|error: images::Error| error.to_string())?;
        let pinned = |digest: images::Digest| Some(format!("{}@{digest}", repository(&reference)));
        if let Some(image) = self.store.get(&reference) {
            // Also where upstream keeps the tag: loading another image under it must not change a Revision.
            let named = reference.digest().is_some();
            return Ok(if named { None } else { pinned(image.digest.clone()) });
        }
        if query.keep_tag && reference.digest().is_none() {
            return Err(format!(
                "image {} is not on this machine, and its registry {} is local-only and never contacted; load it with `ebb image load`",
                query.image,
                reference.registry()
            ));
        }
        let secrets: Vec<&str> = query.image_pull_secrets.iter().map(String::as_str).collect();
        let keyring = node::image_pull_keyring(&self.client, &query.namespace, &secrets).await;
        let resolved = self.registries.resolve(&reference, &keyring).await;
        resolved.map(pinned).map_err(|error| error.to_string())
    }
}

fn repository(reference: &Reference) -> String {
    format!("{}/{}", reference.registry(), reference.repository())
}

impl ImageResolver for Digests {
    fn resolve<'a>(&'a self, image: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(self.find(image))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.store.changes()
    }
}
