//! Image tags become digests once, beside the reconciler: a slow registry must not hold up other Revisions.
//!
//! ```text
//!   reconcile ── outcome(revision) ──► Pending ──► queue ──► resolver ──► Resolved | Failed ──► the Revision's key again
//!                                                    ▲                            │
//!                                                    └── a wait, or images changed ┘
//! ```
//!
//! What is on this machine is answered at once. A registry is asked when it has a place free, so that one that is slow
//! holds up nobody else.

mod places;

use std::{
    collections::{BTreeSet, HashMap},
    future::pending,
    sync::Arc,
    time::Duration,
};

use futures::future::join;
use objects::{Action, Backoff, Error, Pace, Queue, work};
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    builtin::Container,
    config::Configs,
    image_name::ImageName,
    serving::{ContainerStatus, Revision},
};
use tokio::{sync::watch, time::timeout};

use self::places::Places;
use super::resolver::{ImageQuery, ImageResolver};

/// Lookups and their time in line. All that most of them hold is a place in line at a registry, so there may be many, and
/// none is late for as long as the registry answers others.
const PACE: Pace = Pace { at_once: 10_000, limit: Duration::from_secs(600) };
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
    places: Places,
}

struct Lookup {
    uid: String,
    images: Arc<[(String, ImageQuery)]>,
    timeout: Duration,
    outcome: Outcome,
    /// The image that it failed for.
    missing: Option<ImageQuery>,
    /// Dropped with this; whoever works on it hears of that.
    current: watch::Sender<()>,
}

impl Digests {
    pub(super) fn new() -> Self {
        Self { lookups: Mutex::default(), queue: Queue::new(RETRY), places: Places::default() }
    }

    /// What is known of a Revision's images; begins a lookup when nothing is.
    pub(super) fn outcome(&self, revision: &Revision, configs: &Configs) -> Outcome {
        let key = revision.key();
        if let Some(resolved) = in_status(revision) {
            self.forget(&key);
            return Outcome::Resolved(resolved);
        }
        let images = queries(revision, configs);
        let timeout = configs.deployment.digest_resolution_timeout;
        let mut lookups = self.lookups.lock();
        // One of another object, or by settings of before, begins anew.
        let is_same = |lookup: &&Lookup| {
            lookup.uid == revision.uid() && lookup.images[..] == images[..] && lookup.timeout == timeout
        };
        if let Some(lookup) = lookups.get(&key).filter(is_same) {
            return lookup.outcome.clone();
        }
        let lookup = Lookup {
            uid: revision.uid().to_owned(),
            images: images.into(),
            timeout,
            outcome: Outcome::Pending,
            missing: None,
            current: watch::Sender::new(()),
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
        let (resolver, revisions) = (&*resolver, &*revisions);
        let does = |key: ObjectKey| async move { self.attend(&key, resolver, revisions).await };
        let failed = |key: &ObjectKey, error: &Error, _: Duration| {
            tracing::debug!(revision = %key, %error, "images will be looked up again");
        };
        let mut changed = resolver.changed();
        let retries = async {
            while changed.changed().await.is_ok() {
                self.retry_what_is_there(resolver);
            }
        };
        join(work(&self.queue, PACE, does, failed), retries).await;
    }

    async fn attend(
        &self,
        key: &ObjectKey,
        resolver: &dyn ImageResolver,
        revisions: &Queue<ObjectKey>,
    ) -> objects::Result<Action> {
        let begun = self.lookups.lock().get(key).map(|lookup| {
            let again = matches!(lookup.outcome, Outcome::Failed(_));
            (Arc::clone(&lookup.images), lookup.timeout, again, lookup.current.subscribe())
        });
        let Some((images, limit, again, mut current)) = begun else { return Ok(Action::Wait) };
        tokio::select! {
            // Forgotten, or replaced by another one, which is in the queue.
            _ = current.changed() => Ok(Action::Wait),
            (outcome, missing) = self.look_up(resolver, &images, limit, again) => {
                self.finish(key, &images, outcome, missing, revisions)
            }
        }
    }

    fn finish(
        &self,
        key: &ObjectKey,
        images: &Arc<[(String, ImageQuery)]>,
        outcome: Outcome,
        missing: Option<ImageQuery>,
        revisions: &Queue<ObjectKey>,
    ) -> objects::Result<Action> {
        let mut lookups = self.lookups.lock();
        let lookup = lookups.get_mut(key).filter(|lookup| Arc::ptr_eq(&lookup.images, images));
        let Some(lookup) = lookup else { return Ok(Action::Wait) };
        lookup.missing = missing;
        if lookup.outcome != outcome {
            lookup.outcome = outcome.clone();
            revisions.add(key.clone());
        }
        match outcome {
            Outcome::Failed(why) => Err(Error::Unavailable(why)),
            Outcome::Pending | Outcome::Resolved(_) => Ok(Action::Wait),
        }
    }

    /// What has appeared on this machine is not waited for; registries are asked no more often for that.
    fn retry_what_is_there(&self, resolver: &dyn ImageResolver) {
        let is_there = |query: &ImageQuery| matches!(resolver.local(query), Some(Ok(_)));
        let lookups = self.lookups.lock();
        let found = lookups.iter().filter(|(_, lookup)| lookup.missing.as_ref().is_some_and(is_there));
        found.for_each(|(key, _)| self.queue.add(key.clone()));
    }

    /// The outcome, and the image that is missing if it failed for one.
    async fn look_up(
        &self,
        resolver: &dyn ImageResolver,
        images: &[(String, ImageQuery)],
        limit: Duration,
        again: bool,
    ) -> (Outcome, Option<ImageQuery>) {
        let mut resolved = Vec::with_capacity(images.len());
        for (name, query) in images {
            let answer = tokio::select! {
                biased;
                answer = appears(resolver, query) => answer,
                answer = self.ask(resolver, query, limit, again) => answer,
            };
            match answer {
                Ok(found) => {
                    let image_digest = in_name(&query.image).or(found).unwrap_or_default();
                    resolved.push(ContainerStatus { name: name.clone(), image_digest });
                }
                Err(cause) => {
                    let why = format!("Unable to fetch image {:?}: {cause}", query.image);
                    return (Outcome::Failed(why), Some(query.clone()));
                }
            }
        }
        (Outcome::Resolved(resolved), None)
    }

    /// What its registry answers, once that has a place free.
    async fn ask(
        &self,
        resolver: &dyn ImageResolver,
        query: &ImageQuery,
        limit: Duration,
        again: bool,
    ) -> Result<Option<String>, String> {
        let _place = self.places.take(ImageName::split(&query.image).registry(), again).await;
        let answer = timeout(limit, resolver.resolve(query)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs())))
    }
}

/// What is answered without a registry, as soon as there is such an answer.
async fn appears(resolver: &dyn ImageResolver, query: &ImageQuery) -> Result<Option<String>, String> {
    let mut changed = resolver.changed();
    loop {
        if let Some(answer) = resolver.local(query) {
            return answer;
        }
        if changed.changed().await.is_err() {
            return pending().await;
        }
    }
}

/// An image that is named by its digest stands for itself, as its user wrote it.
fn in_name(image: &str) -> Option<String> {
    ImageName::split(image).digest.map(|_| image.to_owned())
}

/// The digests that a Revision's status has, if it has them all. One that is empty although the image's name has it was
/// written by an older version. A tag without one was left alone: what it stood for then nobody knows any more, so it is
/// not looked up now.
fn in_status(revision: &Revision) -> Option<Vec<ContainerStatus>> {
    let (spec, status) = (&revision.spec, &revision.status);
    let complete = status.container_statuses.len() == spec.containers.len()
        && status.init_container_statuses.len() == spec.init_containers.len();
    let image = |name: &str| {
        let mut containers = spec.containers.iter().chain(&spec.init_containers);
        containers.find(|container| container.name == name)?.image.as_deref()
    };
    let known = |status: &ContainerStatus| {
        let mut status = status.clone();
        if status.image_digest.is_empty() {
            status.image_digest = image(&status.name).and_then(in_name).unwrap_or_default();
        }
        status
    };
    let statuses = status.container_statuses.iter().chain(&status.init_container_statuses);
    complete.then(|| statuses.map(known).collect())
}

fn queries(revision: &Revision, configs: &Configs) -> Vec<(String, ImageQuery)> {
    let spec = &revision.spec;
    let skipped = &configs.deployment.registries_skipping_tag_resolving;
    let query = |container: &Container| {
        let image = container.image.clone().unwrap_or_default();
        let query = ImageQuery {
            keep_tag: keeps_tag(&image, skipped),
            image,
            namespace: revision.namespace().to_owned(),
            service_account_name: spec.service_account_name.clone(),
            image_pull_secrets: spec.image_pull_secrets.iter().map(|secret| secret.name.clone()).collect(),
        };
        (container.name.clone(), query)
    };
    spec.containers.iter().chain(&spec.init_containers).map(query).collect()
}

/// Whether there is no tag to look up, or its registry is one whose tags stay.
fn keeps_tag(image: &str, skipped: &BTreeSet<String>) -> bool {
    let name = ImageName::split(image);
    name.digest.is_some() || name.is_of(skipped)
}

#[cfg(test)]
mod tests;
