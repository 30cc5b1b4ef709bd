use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{DialTcp, Dice, Limits, RevisionStat, Seams, StartTimes, StartTimesOf, StatSink};

struct Nobody;

impl StatSink for Nobody {
    fn report(&self, _stats: &[RevisionStat]) {}
}

impl StartTimesOf for Nobody {
    fn of(&self, _uid: &str, _wished: tokio::time::Instant) -> Option<StartTimes> {
        None
    }
}

fn handle() -> Handle {
    let seams = Seams { dial: Arc::new(DialTcp), stats: Arc::new(Nobody), starts: Arc::new(Nobody) };
    Handle::new(Limits::default(), seams, Dice::seeded(1))
}

fn revision() -> Revision {
    serde_json::from_value(json!({"metadata": {"name": "hello-00001", "namespace": "default"}})).unwrap()
}

/// A slice with one instance, which has its name.
fn slice(name: &str) -> Arc<EndpointSlice> {
    let labels = json!({
        "serving.knative.dev/revision": "hello-00001", "networking.internal.knative.dev/serviceType": "Private",
    });
    let endpoint = json!({"addresses": ["10.1.0.9"], "targetRef": {"name": name, "uid": name}});
    let slice = json!({
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "addressType": "IPv4", "endpoints": [endpoint],
    });
    Arc::new(serde_json::from_value(slice).unwrap())
}

#[tokio::test]
async fn instances_stay_while_slices_are_listed_again() {
    let (handle, mut known) = (handle(), Known::default());
    let uids = || handle.uids(&revision().key());
    known.slices_restarted();
    known.slice(&handle, slice("a"), true);
    known.revision(&handle, &revision());
    assert_eq!(uids(), [""; 0], "the list is not complete");
    known.slice(&handle, slice("b"), true);
    known.slices_synced(&handle);
    assert_eq!(uids(), ["a", "b"]);

    known.slices_restarted();
    known.slice(&handle, slice("b"), true);
    assert_eq!(uids(), ["a", "b"], "a may follow");
    known.revision(&handle, &revision());
    known.slices_restarted();
    known.slice(&handle, slice("b"), true);
    known.slices_synced(&handle);
    assert_eq!(uids(), ["b"]);
    known.slices_restarted();
    assert_eq!(uids(), ["b"]);
    known.slices_synced(&handle);
    assert_eq!(uids(), [""; 0]);
    known.slice(&handle, slice("c"), true);
    assert_eq!(uids(), ["c"]);
}

#[tokio::test]
async fn that_nothing_can_start_is_told_in_either_order() {
    let (handle, mut known) = (handle(), Known::default());
    let key = revision().key();
    let container = json!({
        "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff"}},
    });
    let labels = json!({"serving.knative.dev/revision": "hello-00001"});
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true});
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "a", "namespace": "default", "labels": labels, "ownerReferences": [owner]},
        "status": {"containerStatuses": [container]},
    }))
    .unwrap();
    assert_eq!(known.pods.set(&pod), std::slice::from_ref(&key));
    known.tell_obstacle(&handle, &key);
    known.revision(&handle, &revision());
    assert_eq!(handle.obstacle(&key), Some("ImagePullBackOff"), "the pod was told first");

    known.slice(&handle, slice("b"), true);
    known.slices_synced(&handle);
    assert_eq!(handle.obstacle(&key), None, "there is an instance");
    known.slice(&handle, slice("b"), false);
    assert_eq!(handle.obstacle(&key), Some("ImagePullBackOff"));

    assert_eq!(known.pods.remove(&pod), std::slice::from_ref(&key));
    known.tell_obstacle(&handle, &key);
    assert_eq!(handle.obstacle(&key), None);
}
