//! Image tags become digests once, beside the reconciler: a slow registry must not hold up other Revisions.
//!
//! ```text
//!   reconcile ── outcome(revision) ──► Pending ──► queue ──► resolver ──► Resolved | Failed ──► the Revision's key again
//!                                                    ▲                            │
//!                                                    └── a wait, or images changed ┘
//! ```

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use objects::{Backoff, Queue};
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    builtin::Container,
    config::Configs,
    serving::{ContainerStatus, Revision},
};
use tokio::time::timeout;

use super::resolver::{ImageQuery, ImageResolver};

/// Revisions whose images are looked up at once.
const RESOLUTIONS_MAX: usize = 16;
/// How long a Revision waits after a failure before it is looked up again. Short, since its user may be pushing the
/// image just now and expects it to be found within seconds.
const RETRY: Backoff = Backoff { min: Duration::from_millis(250), max: Duration::from_secs(4) };

/// What is known of a Revision's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They are being looked up.
    Pending,
    /// Each of its containers' images, then each of its init containers'.
    Resolved(Vec<ContainerStatus>),
    /// One is nowhere to be found; the message says which and why.
    Failed(String),
}

/// The lookups under way. Holds nothing of a Revision whose status has the digests.
pub(super) struct Digests {
    lookups: Mutex<HashMap<ObjectKey, Lookup>>,
    queue: Queue<ObjectKey>,
}

struct Lookup {
    uid: String,
    images: Arc<[(String, ImageQuery)]>,
    timeout: Duration,
    outcome: Outcome,
}

impl Digests {
    pub(super) fn new() -> Self {
        Self { lookups: Mutex::new(HashMap::new()), queue: Queue::new(RETRY) }
    }

    /// What is known of a Revision's images; begins a lookup when nothing is.
    pub(super) fn outcome(&self, revision: &Revision, configs: &Configs) -> Outcome {
        let key = revision.key();
        if let Some(resolved) = in_status(revision) {
            self.forget(&key);
            return Outcome::Resolved(resolved);
        }
        let mut lookups = self.lookups.lock();
        if let Some(lookup) = lookups.get(&key).filter(|lookup| lookup.uid == revision.uid()) {
            return lookup.outcome.clone();
        }
        let lookup = Lookup {
            uid: revision.uid().to_owned(),
            images: queries(revision, configs).into(),
            timeout: configs.deployment.digest_resolution_timeout,
            outcome: Outcome::Pending,
        };
        lookups.insert(key.clone(), lookup);
        drop(lookups);
        self.queue.add(key);
        Outcome::Pending
    }

    /// Drops what is known of a Revision.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.lookups.lock().remove(key);
    }

    /// Looks images up, and gives `revisions` the key of each Revision whose outcome changed.
    pub(super) async fn run(&self, resolver: Arc<dyn ImageResolver>, revisions: Arc<Queue<ObjectKey>>) {
        let mut changed = resolver.changed();
        let mut working = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some((key, outcome)) = working.next() => self.finish(&key, outcome, &revisions),
                key = self.queue.next(), if working.len() < RESOLUTIONS_MAX => {
                    let lookup = self.lookups.lock().get(&key).map(|lookup| (Arc::clone(&lookup.images), lookup.timeout));
                    let resolver = &*resolver;
                    working.push(async move {
                        let outcome = match lookup {
                            Some((images, limit)) => Some(look_up(resolver, &images, limit).await),
                            None => None,
                        };
                        (key, outcome)
                    });
                }
                Ok(()) = changed.changed() => self.retry_failed(),
            }
        }
    }

    fn finish(&self, key: &ObjectKey, outcome: Option<Outcome>, revisions: &Queue<ObjectKey>) {
        match &outcome {
            Some(Outcome::Failed(_)) => drop(self.queue.failed(key)),
            _ => self.queue.done(key),
        }
        let mut lookups = self.lookups.lock();
        let (Some(outcome), Some(lookup)) = (outcome, lookups.get_mut(key)) else { return };
        if lookup.outcome != outcome {
            lookup.outcome = outcome;
            drop(lookups);
            revisions.add(key.clone());
        }
    }

    fn retry_failed(&self) {
        let lookups = self.lookups.lock();
        let failed = lookups.iter().filter(|(_, lookup)| matches!(lookup.outcome, Outcome::Failed(_)));
        failed.for_each(|(key, _)| self.queue.add(key.clone()));
    }
}

async fn look_up(resolver: &dyn ImageResolver, images: &[(String, ImageQuery)], limit: Duration) -> Outcome {
    let mut resolved = Vec::with_capacity(images.len());
    for (name, query) in images {
        let answer = timeout(limit, resolver.resolve(query)).await;
        match answer.unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs()))) {
            Ok(digest) => {
                resolved
                    .push(ContainerStatus { name: name.clone(), image_digest: digest.unwrap_or_default() });
            }
            Err(cause) => {
                return Outcome::Failed(format!("Unable to fetch image {:?}: {cause}", query.image));
            }
        }
    }
    Outcome::Resolved(resolved)
}

/// The digests that a Revision's status has, if it has them all.
fn in_status(revision: &Revision) -> Option<Vec<ContainerStatus>> {
    let (spec, status) = (&revision.spec, &revision.status);
    let complete = status.container_statuses.len() == spec.containers.len()
        && status.init_container_statuses.len() == spec.init_containers.len();
    complete
        .then(|| status.container_statuses.iter().chain(&status.init_container_statuses).cloned().collect())
}

fn queries(revision: &Revision, configs: &Configs) -> Vec<(String, ImageQuery)> {
    let spec = &revision.spec;
    let skipped = &configs.deployment.registries_skipping_tag_resolving;
    let query = |container: &Container| {
        let image = container.image.clone().unwrap_or_default();
        let query = ImageQuery {
            keep_tag: image.contains("@sha256:") || skipped.contains(registry(&image)),
            image,
            namespace: revision.namespace().to_owned(),
            service_account_name: spec.service_account_name.clone(),
            image_pull_secrets: spec.image_pull_secrets.iter().map(|secret| secret.name.clone()).collect(),
        };
        (container.name.clone(), query)
    };
    spec.containers.iter().chain(&spec.init_containers).map(query).collect()
}

/// The registry that a reference names; Docker's own when its first part is no host.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "index.docker.io",
    }
}

#[cfg(test)]
mod tests;
