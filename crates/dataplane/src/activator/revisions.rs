//! All revisions by key.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};

use futures::future::join_all;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::revision::{Context, Revision};
use super::slots::Obstacle;
use crate::{Error, Instance, RevisionConfig, RevisionKey};

/// Lookups of different revisions rarely meet on a lock, and never wait for a change elsewhere.
const SHARDS: usize = 64;

/// The revisions that the data plane knows, idle ones included.
pub(crate) struct Revisions {
    shards: Box<[Shard]>,
    hasher: RandomState,
    context: Arc<Context>,
    /// Those removed whose last requests may still be in flight, which hold them.
    removed: Mutex<Vec<Weak<Revision>>>,
    /// Notifies requests that wait for an unknown revision when one is added.
    appeared: Notify,
}

type Shard = RwLock<HashMap<Arc<RevisionKey>, Entry>>;

struct Entry {
    config: RevisionConfig,
    /// Why no instance can start.
    obstacle: Option<Obstacle>,
    /// Only while it has requests or instances.
    active: Option<Arc<Revision>>,
}

impl Revisions {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            shards,
            hasher: RandomState::new(),
            context,
            removed: Mutex::default(),
            appeared: Notify::new(),
        }
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(crate) fn set(&self, key: RevisionKey, config: RevisionConfig) {
        let mut shard = self.shard(&key).write();
        let entry = shard.entry(Arc::new(key)).or_insert(Entry { config, obstacle: None, active: None });
        entry.config = config;
        if let Some(active) = &entry.active {
            active.configure(config);
        }
        drop(shard);
        self.appeared.notify_waiters();
    }

    /// Forgets a revision. Its requests in flight finish; those that wait are answered that it is not there.
    pub(crate) fn remove(&self, key: &RevisionKey) {
        let mut shard = self.shard(key).write();
        let active = shard.remove(key).and_then(|entry| entry.active);
        if let Some(active) = &active {
            // Under the lock: whoever does not find it in the map finds it here.
            let mut removed = self.removed.lock();
            removed.retain(|removed| removed.strong_count() > 0);
            removed.push(Arc::downgrade(active));
        }
        drop(shard);
        if let Some(active) = active {
            active.remove();
        }
        self.context.cold_starts.forget(key);
    }

    /// Answers whether the revision is known.
    pub(crate) fn set_instances(&self, key: &RevisionKey, instances: Vec<Instance>) -> bool {
        if instances.is_empty() {
            let active = self.shard(key).read().get(key).map(|entry| entry.active.clone());
            let Some(active) = active else { return false };
            if let Some(active) = active {
                active.set_instances(instances);
                drop(active);
                self.retire(key);
            }
            return true;
        }
        let Some(active) = self.activate(key) else { return false };
        active.set_instances(instances);
        true
    }

    /// Answers whether the revision is known.
    pub(crate) fn set_obstacle(&self, key: &RevisionKey, obstacle: Option<Obstacle>) -> bool {
        let mut shard = self.shard(key).write();
        let Some(entry) = shard.get_mut(key) else { return false };
        if let Some(active) = &entry.active {
            active.set_obstacle(obstacle);
        }
        entry.obstacle = obstacle;
        true
    }

    /// Sends requests that no instance has to `next`, those that wait and those that come. Only the first call counts.
    pub(crate) fn hand_on(&self, next: Instance) {
        // First, so that a revision which becomes active from here on has it.
        let next = self.context.next.get_or_init(|| next);
        for shard in self.shards.iter() {
            let active: Vec<_> = shard.read().values().filter_map(|entry| entry.active.clone()).collect();
            active.iter().for_each(|revision| revision.hand_on(next));
        }
    }

    /// The revision, made active if it is not; `None` when it is not known.
    pub(crate) fn activate(&self, key: &RevisionKey) -> Option<Arc<Revision>> {
        if let Some(active) = &self.shard(key).read().get(key)?.active {
            return Some(Arc::clone(active));
        }
        let mut shard = self.shard(key).write();
        let (key, _) = shard.get_key_value(key)?;
        let key = Arc::clone(key);
        let entry = shard.get_mut(&key)?;
        let new = || {
            let revision = Revision::new(key, Arc::clone(&self.context), entry.config);
            revision.set_obstacle(entry.obstacle);
            if let Some(next) = self.context.next.get() {
                revision.hand_on(next);
            }
            Arc::new(revision)
        };
        Some(Arc::clone(entry.active.get_or_insert_with(new)))
    }

    /// As [`Revisions::activate`], and waits a while for a revision that is not known: Routes and Revisions come over
    /// separate watches, in either order.
    pub(crate) async fn await_known(&self, key: &RevisionKey) -> Result<Arc<Revision>, Error> {
        let known = async {
            loop {
                let mut appeared = std::pin::pin!(self.appeared.notified());
                // From here on nothing is missed.
                appeared.as_mut().enable();
                if let Some(revision) = self.activate(key) {
                    return revision;
                }
                appeared.await;
            }
        };
        let limit = self.context.limits.unknown_revision_max;
        timeout(limit, known).await.map_err(|_| Error::UnknownRevision { revision: key.clone() })
    }

    /// Gives an instance no more requests, and waits until it has answered those that it has.
    pub(crate) async fn drain(&self, key: &RevisionKey, uid: &str) {
        // First, so that a revision which becomes active from here on does not take it.
        self.context.drained.add(uid, self.context.limits.drained_max);
        let active = self.shard(key).read().get(key).and_then(|entry| entry.active.clone());
        let removed: Vec<_> = self.removed.lock().iter().filter_map(Weak::upgrade).collect();
        let revisions = removed.into_iter().filter(|revision| **revision.key() == *key).chain(active);
        join_all(revisions.map(|revision| async move { revision.drain(uid).await })).await;
    }

    /// Makes a revision idle again that has neither requests nor instances.
    pub(crate) fn retire(&self, key: &RevisionKey) {
        let mut shard = self.shard(key).write();
        let Some(entry) = shard.get_mut(key) else { return };
        // Whoever else has it got it from here, under this lock: a count of one means that nobody has.
        let unused = |active: &mut Arc<Revision>| Arc::strong_count(active) == 1 && active.is_dormant();
        drop(entry.active.take_if(unused));
    }

    fn shard(&self, key: &RevisionKey) -> &Shard {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}
