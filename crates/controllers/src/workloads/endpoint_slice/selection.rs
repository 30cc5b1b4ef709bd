//! Which Services select a pod, without looking at all of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use resources::{
    Object, ObjectKey,
    builtin::{Pod, Service},
};

/// Services by one label of their selector.
#[derive(Default)]
pub(super) struct Selection {
    selectors: HashMap<ObjectKey, BTreeMap<String, String>>,
    by_label: HashMap<Label, HashSet<ObjectKey>>,
    /// The Services that each pod was last in: a pod may lose the label that put it there.
    last: HashMap<ObjectKey, Vec<ObjectKey>>,
}

/// A label in a namespace.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Label {
    namespace: String,
    key: String,
    value: String,
}

impl Selection {
    /// Takes a Service in, or its changed selector.
    pub(super) fn insert(&mut self, service: &Service) {
        let key = service.key();
        self.remove(&key);
        let Some(selector) = service.spec.as_ref().and_then(|spec| spec.selector.clone()) else { return };
        if let Some(label) = telling(&key.namespace, &selector) {
            self.by_label.entry(label).or_default().insert(key.clone());
            self.selectors.insert(key, selector);
        }
    }

    /// Forgets a Service.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        let Some(selector) = self.selectors.remove(key) else { return };
        let Some(label) = telling(&key.namespace, &selector) else { return };
        if let Some(services) = self.by_label.get_mut(&label) {
            services.remove(key);
            if services.is_empty() {
                self.by_label.remove(&label);
            }
        }
    }

    /// All Services with a selector.
    pub(super) fn services(&self) -> impl Iterator<Item = ObjectKey> {
        self.selectors.keys().cloned()
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
        let candidates = labels.iter().filter_map(|(key, value)| {
            let label = Label { namespace: namespace.to_owned(), key: key.clone(), value: value.clone() };
            self.by_label.get(&label)
        });
        candidates
            .flatten()
            .filter(|service| {
                self.selectors[*service].iter().all(|(key, value)| labels.get(key) == Some(value))
            })
            .cloned()
            .collect()
    }
}

/// The label of a selector that most likely few pods have: the one with the longest value, which a uid is.
fn telling(namespace: &str, selector: &BTreeMap<String, String>) -> Option<Label> {
    let (key, value) = selector.iter().max_by_key(|(_, value)| value.len())?;
    Some(Label { namespace: namespace.to_owned(), key: key.clone(), value: value.clone() })
}
