//! The seam to whoever knows images.

use futures::future::BoxFuture;
use tokio::sync::watch;

/// Finds out what an image reference stands for: from the local store, or from a registry.
pub trait ImageResolver: Send + Sync + 'static {
    /// What can be said of an image without asking a registry, as [`ImageResolver::resolve`] would: it is on this machine,
    /// or can only be there. `None` when a registry must be asked. Cheap: asked whenever something has changed.
    fn local(&self, image: &ImageQuery) -> Option<Result<Option<String>, String>>;

    /// The image by digest (`repository@sha256:…`), asked of its registry; `None` when the reference is to be run as it
    /// is.
    ///
    /// # Errors
    /// Why there is no such image, for a person: with registry, image and cause.
    fn resolve<'a>(&'a self, image: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>>;

    /// Changes whenever an image may have appeared, so that what failed is tried again at once.
    fn changed(&self) -> watch::Receiver<u64>;
}

/// What is asked of an [`ImageResolver`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageQuery {
    /// The reference as the user wrote it.
    pub image: String,
    /// Whether its tag must not be looked up: it names a digest already, or its registry is one of
    /// `registries-skipping-tag-resolving`. A resolver then answers `None`, or that the image is nowhere.
    pub keep_tag: bool,
    /// The Revision's namespace.
    pub namespace: String,
    /// The account whose pull secrets may be used.
    pub service_account_name: Option<String>,
    /// The Revision's own pull secrets.
    pub image_pull_secrets: Vec<String>,
}
