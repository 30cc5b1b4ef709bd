//! The pods of Revisions, as far as they tell whether instances can start.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use resources::{Object, ObjectKey, builtin::Pod, labels::REVISION};

use super::obstacle::obstacle;
use crate::RevisionKey;

/// Why each pod cannot start, by the names of Revisions and pods.
#[derive(Default)]
pub(super) struct Pods {
    of: HashMap<RevisionKey, BTreeMap<String, Option<Arc<str>>>>,
    /// While they are listed: those that were told. What was known stays until the list is complete.
    listed: Option<HashSet<ObjectKey>>,
}

impl Pods {
    /// Takes a pod in. Answers with its Revision where there is something else to tell of that now.
    pub(super) fn set(&mut self, pod: &Pod) -> Option<RevisionKey> {
        let key = revision(pod)?;
        if pod.is_deleting() {
            return self.forget(key, pod.name());
        }
        if let Some(listed) = &mut self.listed {
            listed.insert(pod.key());
        }
        self.change(key, |pods| {
            pods.insert(pod.name().to_owned(), obstacle(pod).map(Arc::from));
        })
    }

    /// As [`Self::set`], of a pod that is gone.
    pub(super) fn remove(&mut self, pod: &Pod) -> Option<RevisionKey> {
        self.forget(revision(pod)?, pod.name())
    }

    /// What follows is all there is.
    pub(super) fn restarted(&mut self) {
        self.listed = Some(HashSet::new());
    }

    /// The list is complete: what was not told again is gone.
    pub(super) fn synced(&mut self) -> Vec<RevisionKey> {
        let listed = self.listed.take().unwrap_or_default();
        let known = self.of.iter().flat_map(|(key, pods)| pods.keys().map(move |name| (key, name)));
        let is_gone = |(key, name): &(&RevisionKey, &String)| {
            !listed.contains(&ObjectKey::new(key.namespace.clone(), (*name).clone()))
        };
        let gone: Vec<_> = known.filter(is_gone).map(|(key, name)| (key.clone(), name.clone())).collect();
        gone.into_iter().filter_map(|(key, name)| self.forget(key, &name)).collect()
    }

    /// Why no instance of a Revision can start: it has pods, and each of them says so. One that is still on its way may
    /// come up, and so may the next where there is none.
    pub(super) fn obstacle(&self, key: &RevisionKey) -> Option<Arc<str>> {
        let mut pods = self.of.get(key)?.values();
        let first = pods.next()?.as_ref()?;
        pods.all(Option::is_some).then(|| Arc::clone(first))
    }

    fn forget(&mut self, key: RevisionKey, pod: &str) -> Option<RevisionKey> {
        if !self.of.contains_key(&key) {
            return None;
        }
        self.change(key, |pods| {
            pods.remove(pod);
        })
    }

    fn change(
        &mut self,
        key: RevisionKey,
        change: impl FnOnce(&mut BTreeMap<String, Option<Arc<str>>>),
    ) -> Option<RevisionKey> {
        let before = self.obstacle(&key);
        let pods = self.of.entry(key.clone()).or_default();
        change(pods);
        if pods.is_empty() {
            self.of.remove(&key);
        }
        (self.obstacle(&key) != before).then_some(key)
    }
}

/// The Revision whose pod it is.
fn revision(pod: &Pod) -> Option<RevisionKey> {
    pod.label(REVISION).map(|revision| ObjectKey::new(pod.namespace(), revision))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A pod of the Revision that waits for this reason.
    fn pod(name: &str, reason: &str) -> Pod {
        let container = json!({
            "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason}},
        });
        let labels = json!({REVISION: "hello-00001"});
        let metadata = json!({"name": name, "namespace": "default", "labels": labels});
        serde_json::from_value(json!({"metadata": metadata, "status": {"containerStatuses": [container]}}))
            .unwrap()
    }

    #[test]
    fn nothing_can_start_while_each_pod_says_so() {
        let key = RevisionKey::new("default", "hello-00001");
        let mut pods = Pods::default();
        let told = |pods: &Pods| pods.obstacle(&key).map(|why| why.to_string());
        let (fails, may) = (|name| pod(name, "ErrImagePull"), |name| pod(name, "ContainerCreating"));
        assert_eq!(told(&pods), None, "without a pod nothing is known");
        assert_eq!(pods.set(&may("a")), None, "nothing else is to be told");
        assert_eq!(pods.set(&fails("a")), Some(key.clone()));
        assert_eq!(told(&pods).as_deref(), Some("ErrImagePull"));
        assert_eq!(pods.set(&may("b")), Some(key.clone()), "that one may come up");
        assert_eq!(told(&pods), None);
        assert_eq!(pods.remove(&may("b")), Some(key.clone()));
        assert_eq!(told(&pods).as_deref(), Some("ErrImagePull"));
        // One that leaves tells nothing any more.
        let mut leaving = fails("a");
        leaving.metadata.deletion_timestamp = Some(resources::meta::Time(Default::default()));
        assert_eq!(pods.set(&leaving), Some(key.clone()));
        assert_eq!((told(&pods), pods.of.is_empty()), (None, true));

        // A list that leaves one out.
        pods.set(&fails("a"));
        pods.restarted();
        assert_eq!(told(&pods).as_deref(), Some("ErrImagePull"), "it may follow");
        assert_eq!(pods.synced(), std::slice::from_ref(&key));
        assert_eq!(told(&pods), None);
    }
}
