//! Revisions, their EndpointSlices and their Pods → what the queue knows of them.

mod config;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use objects::{Client, Event, ListOptions};
use resources::{
    Object,
    builtin::{EndpointSlice, Pod},
    serving::Revision,
};

use self::config::{PORT, config};
use super::{Applied, instances, pods::Pods};
use crate::{Handle, Instance, RevisionKey};

/// What is remembered of each Revision beside what the [`Handle`] has.
#[derive(Default)]
struct Known {
    revisions: HashSet<RevisionKey>,
    /// Only the ports that are not [`PORT`].
    ports: HashMap<RevisionKey, u16>,
    /// The slices with endpoints, by name; an idle Revision has none.
    slices: HashMap<RevisionKey, HashMap<String, Arc<EndpointSlice>>>,
    /// While the slices are listed: the Revisions that had instances before. What is known of slices is not all until
    /// the list is complete, so nobody is told of it.
    relisting: Option<HashSet<RevisionKey>>,
    pods: Pods,
}

pub(super) async fn follow(client: &Client, handle: &Handle, applied: &Applied) {
    let mut revisions = client.watch::<Revision>(ListOptions::all());
    let mut slices = client.watch::<EndpointSlice>(ListOptions::all());
    let mut pods = client.watch::<Pod>(ListOptions::all());
    let mut known = Known::default();
    let mut listed: Option<HashSet<RevisionKey>> = None;
    loop {
        tokio::select! {
            event = slices.next() => match event {
                Event::Applied(slice) => known.slice(handle, slice, true),
                Event::Deleted(slice) => known.slice(handle, slice, false),
                Event::Restarted => known.slices_restarted(),
                Event::Synced => {
                    known.slices_synced(handle);
                    applied.mark_listed(|kinds| kinds.instances = true);
                }
            },
            event = pods.next() => {
                let changed = match event {
                    Event::Applied(pod) => known.pods.set(&pod),
                    Event::Deleted(pod) => known.pods.remove(&pod),
                    Event::Restarted => {
                        known.pods.restarted();
                        Vec::new()
                    }
                    Event::Synced => known.pods.synced(),
                };
                changed.iter().for_each(|key| known.tell_obstacle(handle, key));
            },
            event = revisions.next() => match event {
                Event::Applied(revision) => {
                    if let Some(listed) = &mut listed {
                        listed.insert(revision.key());
                    }
                    known.revision(handle, &revision);
                }
                Event::Deleted(revision) => known.remove(handle, &revision.key()),
                Event::Restarted => listed = Some(HashSet::new()),
                Event::Synced => {
                    let listed = listed.take().unwrap_or_default();
                    let gone: Vec<_> = known.revisions.iter().filter(|key| !listed.contains(*key)).cloned().collect();
                    gone.iter().for_each(|key| known.remove(handle, key));
                    applied.mark_listed(|kinds| kinds.revisions = true);
                }
            },
        }
    }
}

impl Known {
    fn revision(&mut self, handle: &Handle, revision: &Revision) {
        let key = revision.key();
        let (config, port) = config(revision);
        let moved = self.port(&key) != port;
        if port == PORT {
            self.ports.remove(&key);
        } else {
            self.ports.insert(key.clone(), port);
        }
        handle.set_revision(key.clone(), config);
        let is_new = self.revisions.insert(key.clone());
        if is_new || moved {
            self.apply(handle, &key);
        }
        if is_new {
            self.tell_obstacle(handle, &key);
        }
    }

    fn remove(&mut self, handle: &Handle, key: &RevisionKey) {
        self.revisions.remove(key);
        self.ports.remove(key);
        handle.remove_revision(key);
    }

    fn slice(&mut self, handle: &Handle, slice: Arc<EndpointSlice>, present: bool) {
        let Some(key) = instances::revision(&slice) else { return };
        let name = slice.name().to_owned();
        let changed = if present && !slice.endpoints.is_empty() {
            self.slices.entry(key.clone()).or_default().insert(name, slice);
            true
        } else {
            let slices = self.slices.get_mut(&key);
            let was = slices.is_some_and(|slices| slices.remove(&name).is_some());
            if self.slices.get(&key).is_some_and(HashMap::is_empty) {
                self.slices.remove(&key);
            }
            was
        };
        if changed {
            self.apply(handle, &key);
        }
    }

    /// What follows is all there is. What was known stays in use until the list is complete: instances do not go
    /// because a watch did.
    fn slices_restarted(&mut self) {
        self.relisting.get_or_insert_default().extend(std::mem::take(&mut self.slices).into_keys());
    }

    /// The list is complete.
    fn slices_synced(&mut self, handle: &Handle) {
        let before = self.relisting.take().unwrap_or_default();
        let gone = before.iter().filter(|key| !self.slices.contains_key(*key));
        self.slices.keys().chain(gone).for_each(|key| self.apply(handle, key));
    }

    /// Tells the handle a Revision's instances; one that is not known yet is told when it is.
    fn apply(&self, handle: &Handle, key: &RevisionKey) {
        if self.relisting.is_none() && self.revisions.contains(key) {
            handle.set_instances(key, self.instances(key));
        }
    }

    /// Tells the handle whether a Revision's instances can start; as [`Self::apply`] of one that is not known yet.
    fn tell_obstacle(&self, handle: &Handle, key: &RevisionKey) {
        if self.revisions.contains(key) {
            handle.set_obstacle(key, self.pods.obstacle(key));
        }
    }

    fn instances(&self, key: &RevisionKey) -> Vec<Instance> {
        let port = self.port(key);
        let slices = self.slices.get(key).into_iter().flat_map(HashMap::values);
        slices.flat_map(|slice| instances::ready(slice, port)).collect()
    }

    fn port(&self, key: &RevisionKey) -> u16 {
        self.ports.get(key).copied().unwrap_or(PORT)
    }
}

#[cfg(test)]
mod tests;
