use objects::{Cause, Error};
use resources::meta::Time;
use serde_json::{Value, json};

use super::*;

fn pod(name: &str, phase: &str, ready: bool, created: &str) -> Arc<Pod> {
    let ready = if ready { "True" } else { "False" };
    let value: Value = json!({
        "metadata": { "name": name, "creationTimestamp": created },
        "status": { "phase": phase, "conditions": [{ "type": "Ready", "status": ready }] },
    });
    Arc::new(serde_json::from_value(value).unwrap())
}

#[test]
fn what_serves_least_goes_first() {
    let pods = [
        pod("old-ready", "Running", true, "2026-01-01T00:00:00Z"),
        pod("new-ready", "Running", true, "2026-01-02T00:00:00Z"),
        pod("running", "Running", false, "2026-01-01T00:00:00Z"),
        pod("pending", "Pending", false, "2026-01-01T00:00:00Z"),
    ];
    let order: Vec<_> = victims(&pods, 4).iter().map(|pod| pod.name().to_owned()).collect();
    assert_eq!(order, ["pending", "running", "new-ready", "old-ready"]);
    assert_eq!(victims(&pods, 1).len(), 1);
}

#[test]
fn what_keeps_pods_from_being_made_stands_in_the_status_until_it_is_over() {
    let at = |second| Time(Timestamp::from_second(second).unwrap());
    let invalid = |name: &str| {
        let cause = Cause {
            field: "spec.x".into(),
            reason: "FieldValueInvalid".into(),
            message: "Invalid value".into(),
        };
        Error::Invalid { kind: Pod::kind(), name: name.into(), causes: vec![cause] }
    };
    let conditions =
        |before, failed: Option<&Error>, second| failure::conditions(before, failed, "web-1-", &at(second));
    assert_eq!(conditions(None, None, 0), None);
    assert_eq!(conditions(None, Some(&Error::Unavailable("busy".into())), 0), None, "it passes by itself");
    let first = conditions(None, Some(&invalid("web-1-abcde")), 1);
    let said = &first.as_ref().unwrap()[0];
    assert_eq!((said.type_.as_str(), said.status.as_str()), ("ReplicaFailure", "True"));
    assert_eq!(said.reason.as_deref(), Some("FailedCreate"));
    assert!(said.message.as_ref().unwrap().contains("\"web-1-\" is invalid"), "{said:?}");
    assert_eq!(
        conditions(first.clone(), Some(&invalid("web-1-vwxyz")), 2),
        first,
        "another try says no more"
    );
    assert_eq!(conditions(first.clone(), Some(&Error::Unavailable("busy".into())), 3), first);
    assert_eq!(conditions(first, None, 4), None, "pods are made again");
}

#[test]
fn a_pod_carries_the_template_and_its_owner() {
    let set: ReplicaSet = serde_json::from_value(json!({
        "metadata": { "name": "web-1", "namespace": "team", "uid": "u1" },
        "spec": {
            "selector": {},
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "app", "image": "dev.local/app" }] }
            }
        }
    }))
    .unwrap();
    let pod = super::pod(&set, "here");
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-1-"));
    assert_eq!(pod.label("app"), Some("web"));
    assert_eq!(pod.metadata.owner_references, Some(vec![controlled_by(&set)]));
    assert_eq!(pod.spec.unwrap().node_name.as_deref(), Some("here"));
}
