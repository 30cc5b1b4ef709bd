//! Revisions and their EndpointSlices → what the queue knows of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use objects::{Client, Event, ListOptions};
use resources::{Object, builtin::EndpointSlice, serving::Revision};

use super::{Applied, instances};
use crate::{Handle, Instance, Protocol, RevisionConfig, RevisionKey};

/// The port of a container that names none (upstream: serving, `DefaultUserPort`).
const PORT: u16 = 8080;

/// What is remembered of each Revision beside what the [`Handle`] has.
#[derive(Default)]
struct Known {
    revisions: HashSet<RevisionKey>,
    /// Only the ports that are not [`PORT`].
    ports: HashMap<RevisionKey, u16>,
    /// The slices with endpoints, by name; an idle Revision has none.
    slices: HashMap<RevisionKey, HashMap<String, Arc<EndpointSlice>>>,
    /// The Revisions that had instances when the watch began again.
    before: HashSet<RevisionKey>,
}

pub(super) async fn follow(client: &Client, handle: &Handle, applied: &Applied) {
    let mut revisions = client.watch::<Revision>(ListOptions::all());
    let mut slices = client.watch::<EndpointSlice>(ListOptions::all());
    let mut known = Known::default();
    let mut told: Option<HashSet<RevisionKey>> = None;
    loop {
        tokio::select! {
            event = slices.next() => match event {
                Event::Applied(slice) => known.slice(handle, slice, true),
                Event::Deleted(slice) => known.slice(handle, slice, false),
                // What is gone is not told again; those that are there are.
                Event::Restarted => known.slices_restarted(),
                Event::Synced => {
                    known.slices_synced(handle);
                    applied.tell(|told| told.instances = true);
                }
            },
            event = revisions.next() => match event {
                Event::Applied(revision) => {
                    if let Some(told) = &mut told {
                        told.insert(revision.key());
                    }
                    known.revision(handle, &revision);
                }
                Event::Deleted(revision) => known.remove(handle, &revision.key()),
                Event::Restarted => told = Some(HashSet::new()),
                Event::Synced => {
                    let told = told.take().unwrap_or_default();
                    let gone: Vec<_> = known.revisions.iter().filter(|key| !told.contains(*key)).cloned().collect();
                    gone.iter().for_each(|key| known.remove(handle, key));
                    applied.tell(|told| told.revisions = true);
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
        if self.revisions.insert(key.clone()) || moved {
            self.apply(handle, &key);
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

    /// What follows is all there is. What was known stays in use until then: instances do not go because a watch did.
    fn slices_restarted(&mut self) {
        self.before.extend(std::mem::take(&mut self.slices).into_keys());
    }

    /// What was known before and has not been told again is gone.
    fn slices_synced(&mut self, handle: &Handle) {
        for key in std::mem::take(&mut self.before) {
            if !self.slices.contains_key(&key) {
                self.apply(handle, &key);
            }
        }
    }

    /// Tells the handle a Revision's instances; one that is not known yet is told when it is.
    fn apply(&self, handle: &Handle, key: &RevisionKey) {
        if self.revisions.contains(key) {
            handle.set_instances(key, self.instances(key));
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

/// What of a Revision's spec bears on its requests, and the port of its container.
fn config(revision: &Revision) -> (RevisionConfig, u16) {
    let spec = &revision.spec;
    let seconds = |value: Option<i64>| {
        Duration::from_secs(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
    };
    let port = spec.serving_container().and_then(|container| container.ports.as_ref()?.first());
    let h2c = port.is_some_and(|port| port.name.as_deref() == Some("h2c"));
    let number = port.and_then(|port| u16::try_from(port.container_port).ok()).filter(|port| *port != 0);
    let config = RevisionConfig {
        container_concurrency: spec
            .container_concurrency
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(0),
        timeout: seconds(spec.timeout_seconds),
        response_start_timeout: seconds(spec.response_start_timeout_seconds),
        idle_timeout: seconds(spec.idle_timeout_seconds),
        protocol: if h2c { Protocol::H2c } else { Protocol::Http1 },
    };
    (config, number.unwrap_or(PORT))
}

#[cfg(test)]
mod tests;
