//! Runs a reconciler: watches fill its queue, and it is called with one key at a time of each.

mod seen;
mod told;

use std::{future::Future, sync::Arc, time::Duration};

use futures::{
    StreamExt,
    future::{BoxFuture, join},
    stream::FuturesUnordered,
};
use resources::{Object, ObjectKey};
use tokio::{task::yield_now, time::Instant};

use self::{seen::Seen, told::Told};
use crate::{Backoff, Client, Error, Event, ListOptions, Pace, Queue, Result, work};

/// What a reconciler wants next for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing until something changes.
    Wait,
    /// To be called again after a while, unless something changes before.
    After(Duration),
}

impl Action {
    /// What both want: the sooner of two times.
    #[must_use]
    pub fn or_sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::After(one), Self::After(other)) => Self::After(one.min(other)),
            (Self::Wait, action) | (action, Self::Wait) => action,
        }
    }
}

/// Makes the world as one object wants it. Idempotent: called again at any time, and for objects that are gone.
pub trait Reconcile: Send + Sync + 'static {
    /// Works on one key. An error brings the key back after a growing wait.
    fn reconcile(&self, key: &ObjectKey) -> impl Future<Output = Result<Action>> + Send;
}

/// A reconciler's watches and its queue.
pub struct Controller {
    name: &'static str,
    client: Client,
    queue: Arc<Queue<ObjectKey>>,
    watches: Vec<BoxFuture<'static, ()>>,
    /// Adds every object of the controller's own kind to the queue.
    all: AddAll,
}

type AddAll = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// When a key comes that a watch tells.
#[derive(Clone, Copy)]
enum When {
    Now,
    /// Once what follows at once has been told too.
    Settled,
    /// When what has been begun leaves time for it.
    InBulk,
}

/// Debounce: children change their status many times in a row, and an owner that looked at each change would take the
/// processors from them. The controller's own kind is not delayed.
const SETTLE: Duration = Duration::from_millis(5);

impl Controller {
    /// A controller of objects of kind `K`. Its name is the one in logs.
    pub fn new<K: Object>(name: &'static str, client: Client) -> Self {
        Self::named::<K>(name, client).watches::<K>(ListOptions::all(), |object| vec![object.key()])
    }

    /// As [`Controller::new`], of objects that set off much: what is begun goes before those that `is_new`.
    pub fn of_beginnings<K: Object>(
        name: &'static str,
        client: Client,
        is_new: impl Fn(&K) -> bool + Send + 'static,
    ) -> Self {
        let keys = of_objects(|object: &K| vec![object.key()]);
        Self::named::<K>(name, client).watch(ListOptions::all(), keys, move |event| match event {
            Event::Applied(object) if is_new(object) => When::InBulk,
            _ => When::Now,
        })
    }

    fn named<K: Object>(name: &'static str, client: Client) -> Self {
        let queue = Arc::new(Queue::among(Backoff::default(), client.backlog()));
        let (all_client, all_queue) = (client.clone(), Arc::clone(&queue));
        let all: AddAll = Arc::new(move || {
            let (client, queue) = (all_client.clone(), Arc::clone(&all_queue));
            Box::pin(async move { queue_all::<K>(&client, &queue).await })
        });
        Self { name, client, queue, watches: Vec::new(), all }
    }

    /// Also watches another kind; `keys` says which of the controller's own objects a change concerns.
    pub fn watches<K: Object>(
        self,
        options: ListOptions,
        keys: impl Fn(&K) -> Vec<ObjectKey> + Send + Sync + 'static,
    ) -> Self {
        self.watch(options, of_objects(keys), |_| When::Now)
    }

    /// As [`Controller::watches`], for objects that change many times in a row: the keys come a few milliseconds later,
    /// once for all changes until then.
    pub fn watches_settled<K: Object>(
        self,
        options: ListOptions,
        keys: impl Fn(&K) -> Vec<ObjectKey> + Send + Sync + 'static,
    ) -> Self {
        self.watch(options, of_objects(keys), |_| When::Settled)
    }

    /// As [`Controller::watches`], for who must know what happened, to keep what they remember in step.
    pub fn watches_events<K: Object>(
        self,
        options: ListOptions,
        keys: impl FnMut(&Event<K>) -> Vec<ObjectKey> + Send + 'static,
    ) -> Self {
        self.watch(options, keys, |_| When::Now)
    }

    fn watch<K: Object>(
        mut self,
        options: ListOptions,
        mut keys: impl FnMut(&Event<K>) -> Vec<ObjectKey> + Send + 'static,
        when: impl Fn(&Event<K>) -> When + Send + 'static,
    ) -> Self {
        let (queue, all) = (Arc::clone(&self.queue), Arc::clone(&self.all));
        let mut watch = self.client.watch::<K>(options);
        self.watches.push(Box::pin(async move {
            let mut synced = false;
            loop {
                let event = watch.next().await;
                let when = when(&event);
                keys(&event).into_iter().for_each(|key| match when {
                    When::Now => queue.add(key),
                    When::Settled => queue.add_after(key, SETTLE),
                    When::InBulk => queue.add_in_bulk(key),
                });
                match event {
                    Event::Synced => synced = true,
                    // A delete may have been missed, and nobody knows whose: look at everything once.
                    Event::Restarted if synced => all().await,
                    Event::Restarted | Event::Applied(_) | Event::Deleted(_) => {}
                }
            }
        }));
        self
    }

    /// Also watches a kind whose objects name their owner of kind `Owner`, as [`Controller::watches_settled`] does.
    pub fn owns<Owner: Object, K: Object>(self) -> Self {
        self.watches_settled::<K>(ListOptions::all(), |object| owner::<Owner>(object).into_iter().collect())
    }

    /// As [`Controller::owns`], of children that change in much that their owner does not look at: `looked_at` is a hash of
    /// what it does, and what leaves that as it was is no news to it.
    pub fn owns_looked_at<Owner: Object, K: Object>(
        self,
        looked_at: impl Fn(&K) -> u64 + Send + 'static,
    ) -> Self {
        let mut seen = Seen::default();
        let keys = move |event: &Event<K>| match event {
            Event::Applied(object) => {
                let owner = owner::<Owner>(&**object);
                owner.filter(|_| seen.is_news(object.uid(), looked_at(object))).into_iter().collect()
            }
            Event::Deleted(object) => {
                seen.forget(object.uid());
                owner::<Owner>(&**object).into_iter().collect()
            }
            Event::Restarted => {
                seen = Seen::default();
                Vec::new()
            }
            Event::Synced => Vec::new(),
        };
        self.watch(ListOptions::all(), keys, |_| When::Settled)
    }

    /// The queue, for those who add keys for reasons that are not objects.
    pub fn queue(&self) -> Arc<Queue<ObjectKey>> {
        Arc::clone(&self.queue)
    }

    /// Works until it is dropped.
    pub async fn run(self, reconciler: impl Reconcile) {
        let Self { name, queue, watches, .. } = self;
        let watches: FuturesUnordered<_> = watches.into_iter().collect();
        let (reconciler, told) = (&reconciler, &Told::default());
        let does = |key: ObjectKey| async move {
            let outcome = reconciler.reconcile(&key).await;
            if outcome.is_ok() {
                told.forget(&key);
            }
            outcome
        };
        let failed = |key: &ObjectKey, error: &Error, wait: Duration| {
            let retry_ms = wait.as_millis() as u64;
            // Two writers met, which is how optimistic concurrency works.
            if error.is_conflict() {
                tracing::debug!(controller = name, %key, %error, "reconciling again");
            } else if told.is_news(key, error, Instant::now()) {
                tracing::warn!(controller = name, %key, %error, retry_ms, "reconcile failed");
            } else {
                tracing::debug!(controller = name, %key, %error, retry_ms, "reconcile failed again");
            }
        };
        join(work(&queue, Pace::default(), does, failed), watches.collect::<()>()).await;
    }
}

/// The keys that objects are told by, whatever happened to them.
fn of_objects<K: Object>(keys: impl Fn(&K) -> Vec<ObjectKey>) -> impl FnMut(&Event<K>) -> Vec<ObjectKey> {
    move |event| match event {
        Event::Applied(object) | Event::Deleted(object) => keys(object),
        Event::Restarted | Event::Synced => Vec::new(),
    }
}

/// Adds every object of a kind to a queue, behind what is in it for its own sake. Goes on, from the start where the list
/// expired, until it has them all: a key that is left out would not come again by itself.
pub async fn queue_all<K: Object>(client: &Client, queue: &Queue<ObjectKey>) {
    // A watch lists by pages and tries again by itself; here it ends where it would begin to follow.
    let mut watch = client.watch::<K>(ListOptions::all());
    // First all keys: what is made of them writes, which would overtake the list.
    let mut keys = Vec::new();
    loop {
        match watch.next().await {
            Event::Applied(object) => keys.push(object.key()),
            Event::Restarted => keys.clear(),
            Event::Deleted(_) => {}
            Event::Synced => break,
        }
    }
    for key in keys {
        queue.add_in_bulk(key);
        yield_now().await;
    }
}

/// The key of the object of kind `Owner` that controls this one.
pub fn owner<Owner: Object>(object: &impl Object) -> Option<ObjectKey> {
    let owners = object.metadata().owner_references.as_ref()?;
    let kind = Owner::kind();
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    (owner.kind == kind.kind && owner.api_version == kind.api_version())
        .then(|| ObjectKey::new(if kind.namespaced { object.namespace() } else { "" }, owner.name.clone()))
}
