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
