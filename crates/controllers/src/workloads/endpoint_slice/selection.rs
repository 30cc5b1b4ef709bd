//! Which Services select a pod, without looking at all of them.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use resources::{
    Object, ObjectKey,
    builtin::{Pod, Service},
};

/// Services by one label of their selector. There is one for every revision, so each is kept small.
#[derive(Default)]
pub(super) struct Selection {
    selectors: HashMap<Arc<ObjectKey>, Selector>,
    /// By the digest of a namespace and a label; what is found must be looked at.
    by_label: BTreeSet<(u64, Arc<ObjectKey>)>,
    digests: RandomState,
    /// The Services that each pod was last in: a pod may lose the label that put it there.
    last: HashMap<ObjectKey, Vec<ObjectKey>>,
}

type Selector = Box<[(Box<str>, Box<str>)]>;

impl Selection {
    /// Takes a Service in, or its changed selector.
    pub(super) fn insert(&mut self, service: &Service) {
        let key = service.key();
        self.remove(&key);
        let Some(selector) = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()) else { return };
        let text = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
        let selector: Selector = selector.iter().map(text).collect();
        if let Some(digest) = self.digest_of(&key.namespace, &selector) {
            let key = Arc::new(key);
            self.by_label.insert((digest, Arc::clone(&key)));
            self.selectors.insert(key, selector);
        }
    }

    /// Forgets a Service.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        let Some((key, selector)) = self.selectors.remove_entry(key) else { return };
        if let Some(digest) = self.digest_of(&key.namespace, &selector) {
            self.by_label.remove(&(digest, key));
        }
    }

    /// All Services with a selector.
    pub(super) fn services(&self) -> impl Iterator<Item = ObjectKey> {
        self.selectors.keys().map(|key| ObjectKey::clone(key))
    }

    /// The Services that a new or changed pod concerns: those it is in, and those it was in before.
    pub(super) fn services_of(&mut self, pod: &Pod) -> Vec<ObjectKey> {
        let mut services = self.selecting(pod);
        let before = if services.is_empty() {
            self.last.remove(&pod.key())
        } else {
            self.last.insert(pod.key(), services.clone())
        };
        for service in before.into_iter().flatten() {
            if !services.contains(&service) {
                services.push(service);
            }
        }
        services
    }

    /// The Services that a pod was in that is gone.
    pub(super) fn forget(&mut self, pod: &Pod) -> Vec<ObjectKey> {
        self.last.remove(&pod.key()).unwrap_or_else(|| self.selecting(pod))
    }

    /// The Services whose selector the pod's labels meet.
    fn selecting(&self, pod: &Pod) -> Vec<ObjectKey> {
        let Some(labels) = &pod.metadata.labels else { return Vec::new() };
        let namespace = pod.namespace();
        let first = Arc::new(ObjectKey::cluster(""));
        let candidates = labels.iter().flat_map(|(key, value)| {
            let digest = self.digest(namespace, key, value);
            let from = (digest, Arc::clone(&first));
            self.by_label.range(from..).take_while(move |(found, _)| *found == digest).map(|(_, key)| key)
        });
        let is_met = |service: &&Arc<ObjectKey>| {
            let selector = &self.selectors[*service];
            service.namespace == namespace
                && selector
                    .iter()
                    .all(|(key, value)| labels.get(&**key).is_some_and(|label| **label == **value))
        };
        let met: BTreeSet<_> = candidates.filter(is_met).collect();
        met.into_iter().map(|key| ObjectKey::clone(key)).collect()
    }

    /// Of the label of a selector that most likely few pods have: the one with the longest value, which a uid is.
    fn digest_of(&self, namespace: &str, selector: &Selector) -> Option<u64> {
        let (key, value) = selector.iter().max_by_key(|(_, value)| value.len())?;
        Some(self.digest(namespace, key, value))
    }

    fn digest(&self, namespace: &str, key: &str, value: &str) -> u64 {
        self.digests.hash_one((namespace, key, value))
    }
}
