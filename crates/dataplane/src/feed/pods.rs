//! The pods of Revisions, as far as they tell whether instances can start.

use std::collections::{BTreeMap, HashMap, HashSet};

use resources::{Object, ObjectKey, builtin::Pod, labels::REVISION};

use super::obstacle::obstacle;
use crate::RevisionKey;

/// Why each pod cannot start, by the names of Revisions and pods.
#[derive(Default)]
pub(super) struct Pods {
    of: HashMap<RevisionKey, BTreeMap<String, Option<&'static str>>>,
    /// Each pod's Revision: a pod that says nothing of one any more is known by its own name alone.
    revisions: HashMap<ObjectKey, RevisionKey>,
    /// While they are listed: those that were told. What was known stays until the list is complete.
    listed: Option<HashSet<ObjectKey>>,
}

impl Pods {
    /// Takes a pod in. Answers with the Revisions of which there is something else to tell now.
    pub(super) fn set(&mut self, pod: &Pod) -> Vec<RevisionKey> {
        let (key, revision) = (pod.key(), revision(pod));
        let is_known = self.revisions.get(&key) == revision.as_ref();
        let left = if is_known { None } else { self.forget(&key) };
        let joined = revision.and_then(|revision| self.keep(key, revision, obstacle(pod)));
        left.into_iter().chain(joined).collect()
    }

    /// As [`Self::set`], of a pod that is gone.
    pub(super) fn remove(&mut self, pod: &Pod) -> Vec<RevisionKey> {
        self.forget(&pod.key()).into_iter().collect()
    }

    /// What follows is all there is.
    pub(super) fn restarted(&mut self) {
        self.listed = Some(HashSet::new());
    }

    /// The list is complete: what was not told again is gone.
    pub(super) fn synced(&mut self) -> Vec<RevisionKey> {
        let listed = self.listed.take().unwrap_or_default();
        let gone: Vec<_> = self.revisions.keys().filter(|pod| !listed.contains(*pod)).cloned().collect();
        gone.iter().filter_map(|pod| self.forget(pod)).collect()
    }

    /// Why no instance of a Revision can start: it has pods, and each of them says so. One that is still on its way may
    /// come up, and so may the next where there is none.
    pub(super) fn obstacle(&self, key: &RevisionKey) -> Option<&'static str> {
        let mut pods = self.of.get(key)?.values();
        let first = (*pods.next()?)?;
        pods.all(Option::is_some).then_some(first)
    }

    fn keep(
        &mut self,
        pod: ObjectKey,
        revision: RevisionKey,
        why: Option<&'static str>,
    ) -> Option<RevisionKey> {
        if let Some(listed) = &mut self.listed {
            listed.insert(pod.clone());
        }
        let name = pod.name.clone();
        self.revisions.insert(pod, revision.clone());
        self.change(revision, |pods| {
            pods.insert(name, why);
        })
    }

    fn forget(&mut self, pod: &ObjectKey) -> Option<RevisionKey> {
        let revision = self.revisions.remove(pod)?;
        self.change(revision, |pods| {
            pods.remove(&pod.name);
        })
    }

    fn change(
        &mut self,
        key: RevisionKey,
        change: impl FnOnce(&mut BTreeMap<String, Option<&'static str>>),
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

/// The Revision that the pod runs for, or shall: a controller keeps it, and it has not ended. One that somebody made by hand
/// with its label is none of its instances.
fn revision(pod: &Pod) -> Option<RevisionKey> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let is_kept = owners.any(|owner| owner.controller == Some(true));
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let is_over = pod.is_deleting() || matches!(phase, Some("Succeeded" | "Failed"));
    let revision = pod.label(REVISION).filter(|_| is_kept && !is_over)?;
    Some(ObjectKey::new(pod.namespace(), revision))
}

#[cfg(test)]
mod tests {
    use resources::meta::Time;
    use serde_json::json;

    use super::*;

    const FAILS: &str = "ImagePullBackOff";
    const MAY: &str = "ContainerCreating";

    /// A pod of the Revision that waits for this reason.
    fn pod(name: &str, reason: &str) -> Pod {
        let container = json!({
            "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason}},
        });
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true});
        serde_json::from_value(json!({
            "metadata": {
                "name": name, "namespace": "default", "labels": {REVISION: "hello-00001"}, "ownerReferences": [owner],
            },
            "status": {"containerStatuses": [container]},
        }))
        .unwrap()
    }

    fn key() -> RevisionKey {
        RevisionKey::new("default", "hello-00001")
    }

    #[test]
    fn nothing_can_start_while_each_pod_says_so() {
        let mut pods = Pods::default();
        let (changed, same): (_, [RevisionKey; 0]) = ([key()], []);
        let told = |pods: &Pods| pods.obstacle(&key());
        assert_eq!(told(&pods), None, "without a pod nothing is known");
        assert_eq!(pods.set(&pod("a", MAY)), same, "nothing else is to be told");
        assert_eq!(pods.set(&pod("a", FAILS)), changed);
        assert_eq!(told(&pods), Some(FAILS));
        assert_eq!(pods.set(&pod("b", MAY)), changed, "that one may come up");
        assert_eq!(told(&pods), None);
        assert_eq!(pods.remove(&pod("b", MAY)), changed);
        assert_eq!(told(&pods), Some(FAILS));
        assert_eq!(pods.set(&pod("a", FAILS)), same);

        // A list that leaves one out.
        pods.restarted();
        assert_eq!(told(&pods), Some(FAILS), "it may follow");
        assert_eq!(pods.synced(), changed);
        assert_eq!((told(&pods), pods.of.is_empty(), pods.revisions.is_empty()), (None, true, true));
    }

    #[test]
    fn only_its_own_pods_tell_of_a_revision() {
        type Change = fn(&mut Pod);
        let changes: [(&str, Change); 5] = [
            ("it leaves", |pod| pod.metadata.deletion_timestamp = Some(Time(Default::default()))),
            ("nobody keeps it", |pod| pod.metadata.owner_references = None),
            ("it has lost its label", |pod| pod.metadata.labels = None),
            ("it has failed", |pod| pod.status.get_or_insert_default().phase = Some("Failed".into())),
            ("it has succeeded", |pod| pod.status.get_or_insert_default().phase = Some("Succeeded".into())),
        ];
        for (name, change) in changes {
            for (reason, before, after) in [(FAILS, Some(FAILS), None), (MAY, None, Some(FAILS))] {
                let mut pods = Pods::default();
                let mut changed = pod("a", reason);
                change(&mut changed);
                assert!(pods.set(&changed).is_empty() && pods.of.is_empty(), "{name} from the first");
                pods.set(&pod("a", reason));
                if reason == MAY {
                    pods.set(&pod("b", FAILS));
                }
                assert_eq!(pods.obstacle(&key()), before, "{name} later");
                assert_eq!(pods.set(&changed), [key()], "{name} now");
                assert_eq!(pods.obstacle(&key()), after, "{name}");
                assert!(pods.remove(&changed).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn a_pod_that_changes_sides_tells_of_both() {
        let mut pods = Pods::default();
        pods.set(&pod("a", FAILS));
        let other = RevisionKey::new("default", "hello-00002");
        let mut moved = pod("a", FAILS);
        moved.metadata.labels.get_or_insert_default().insert(REVISION.into(), other.name.clone());
        assert_eq!(pods.set(&moved), [key(), other.clone()]);
        assert_eq!((pods.obstacle(&key()), pods.obstacle(&other)), (None, Some(FAILS)));
    }
}
