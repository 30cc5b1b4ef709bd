//! Gets a container's image: from the store, or from its registry, as `imagePullPolicy` says.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use images::{Digest, Error, Lease, Reference, Registries, Store};
use objects::Client;
use parking_lot::Mutex;
use resources::{
    Object,
    builtin::Pod,
    container_reasons::{ERR_IMAGE_NEVER_PULL, ERR_IMAGE_PULL, INVALID_IMAGE_NAME},
    image_name::{ImageName, LOCAL_REGISTRIES},
};

use super::keyring::image_pull_keyring;
use super::values::Seen;
use crate::runtime::{ContainerId, TakenOver};

/// Where images come from.
pub struct Images {
    pub(super) store: Store,
    registries: Arc<Registries>,
    flat: Option<PathBuf>,
    /// What running containers hold.
    held: Mutex<HashMap<ContainerId, Lease>>,
}

/// An image that is on this machine and stays while this is held.
pub(super) struct Ready {
    pub(super) lease: Lease,
    /// Its name with the digest of its content.
    pub(super) id: String,
    /// What the container's root is made of.
    pub(super) rootfs: Vec<PathBuf>,
    /// It came from its registry just now.
    pub(super) was_pulled: bool,
}

/// Why a container or what it needs is not there, in the words of a container's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// What was read before it failed: a change of it may be what is missing.
    pub(super) seen: Box<Seen>,
}

impl Failure {
    pub(super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), seen: Box::default() }
    }
}

impl Images {
    /// Images of a store and of the registries that it is filled from.
    ///
    /// `flat` is where images are laid out for a runtime without layers; `None` mounts the store's layers.
    pub fn new(store: Store, registries: Arc<Registries>, flat: Option<PathBuf>) -> Self {
        Self { store, registries, flat, held: Mutex::default() }
    }

    /// Keeps an image while a container runs.
    pub(super) fn hold(&self, container: &ContainerId, lease: Lease) {
        self.held.lock().insert(container.clone(), lease);
    }

    /// Keeps the images of containers that an earlier run of the node has started, whatever their names stand for by
    /// now: their layers are mounted.
    pub(super) fn hold_again(&self, taken: &[TakenOver]) {
        for container in taken.iter().flat_map(|pod| &pod.containers) {
            let (id, image) = (&container.id, &container.content);
            let lease = image.parse::<Digest>().map_err(str::to_owned);
            match lease
                .and_then(|digest| self.store.lease_content(&digest).map_err(|error| error.to_string()))
            {
                Ok(lease) => self.hold(id, lease),
                Err(why) => {
                    tracing::warn!(container = %id, image, why, "the image of a running container is gone")
                }
            }
        }
    }

    /// Lets a container's image go.
    pub(super) fn release(&self, container: &ContainerId) {
        self.held.lock().remove(container);
    }

    /// Lets the images of all of a pod's containers go.
    pub(super) fn release_pod(&self, uid: &str) {
        self.held.lock().retain(|container, _| !container.as_str().starts_with(uid));
    }

    /// Gets an image by name. `policy` is the container's `imagePullPolicy`.
    pub(super) async fn get(
        &self,
        client: &Client,
        pod: &Pod,
        image: &str,
        policy: &str,
    ) -> Result<Ready, Failure> {
        let reference: Reference = image.parse().map_err(|error: Error| {
            Failure::new(INVALID_IMAGE_NAME, format!("Failed to apply default image tag {image:?}: {error}"))
        })?;
        let present = self.store.lease(&reference).ok();
        let mut was_pulled = false;
        let lease = match (present, policy) {
            (Some(lease), "IfNotPresent" | "Never") => lease,
            (None, "Never") => {
                let message = format!("Container image {image:?} is not present with pull policy of Never");
                return Err(Failure::new(ERR_IMAGE_NEVER_PULL, message));
            }
            // Whoever owns these domains shall not be asked, nor the user wait for the answer. What is configured to be left
            // alone besides is for tags in Revisions (`controllers::serving`), and here a registry like any other.
            (present, _) if ImageName::split(image).is_of(LOCAL_REGISTRIES) => present.ok_or_else(|| {
                let message =
                    format!("Image {image:?} is not on this machine; load it with `ebb image load`");
                Failure::new(ERR_IMAGE_PULL, message)
            })?,
            (present, _) => match self.pull(client, pod, &reference).await {
                Ok(lease) => {
                    was_pulled = true;
                    lease
                }
                // An image that was loaded by hand is better than none.
                Err(error) => match present {
                    Some(lease) => {
                        tracing::debug!(image, %error, "using the stored image, since its registry does not answer");
                        lease
                    }
                    None => {
                        let message = format!("Failed to pull image {image:?}: {error}");
                        return Err(Failure::new(ERR_IMAGE_PULL, message));
                    }
                },
            },
        };
        let rootfs = self.rootfs(&lease).await.map_err(|error| {
            Failure::new(ERR_IMAGE_PULL, format!("Failed to unpack image {image:?}: {error}"))
        })?;
        let id = reference.at(lease.digest.clone()).to_string();
        Ok(Ready { lease, id, rootfs, was_pulled })
    }

    async fn pull(&self, client: &Client, pod: &Pod, reference: &Reference) -> Result<Lease, Error> {
        let secrets = pod.spec.iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten());
        let secrets: Vec<&str> = secrets.map(|secret| secret.name.as_str()).collect();
        let keyring = image_pull_keyring(client, pod.namespace(), &secrets).await;
        self.registries.pull(&self.store, reference, &keyring).await?;
        self.store.lease(reference)
    }

    async fn rootfs(&self, lease: &Lease) -> Result<Vec<PathBuf>, Error> {
        let Some(flat) = &self.flat else { return Ok(lease.layers.clone()) };
        let target = flat.join(lease.manifest.hex());
        if !target.exists() {
            let (store, image, target) = (self.store.clone(), Arc::clone(lease), target.clone());
            let flattened = tokio::task::spawn_blocking(move || {
                let parent = target.parent().unwrap_or(&target);
                std::fs::create_dir_all(parent).map_err(|cause| Error::Io {
                    action: "make directory",
                    path: parent.to_owned(),
                    cause,
                })?;
                store.flatten(&image, &target)
            })
            .await;
            flattened
                .map_err(|error| Error::Content { what: "unpacking".into(), reason: error.to_string() })??;
        }
        Ok(vec![target])
    }
}
