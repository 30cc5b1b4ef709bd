use serde_json::{Value, json};

use super::*;

#[test]
fn what_the_node_does_not_do_is_named() {
    let container =
        |field: &str, value: Value| json!({ "containers": [{ "name": "a" }, { "name": "b", field: value }] });
    let probe = |value| container("readinessProbe", value);
    let hook = |value| container("lifecycle", value);
    let security = |value| container("securityContext", value);
    let add = |name: &str| security(json!({ "capabilities": { "add": ["NET_ADMIN", name] } }));
    const ADDED: Option<&str> = Some("spec.containers[1].securityContext.capabilities.add[1]");
    for (spec, expect) in [
        (probe(json!({ "httpGet": { "port": 1 } })), None),
        (probe(json!({ "exec": { "command": ["x"] } })), Some("spec.containers[1].readinessProbe.exec")),
        (probe(json!({ "grpc": { "port": 1 } })), Some("spec.containers[1].readinessProbe.grpc")),
        (hook(json!({ "preStop": { "httpGet": { "port": 1 } } })), None),
        (hook(json!({ "preStop": { "sleep": { "seconds": 1 } } })), None),
        (
            hook(json!({ "preStop": { "exec": { "command": ["x"] } } })),
            Some("spec.containers[1].lifecycle.preStop.exec"),
        ),
        (
            hook(json!({ "postStart": { "httpGet": { "port": 1 } } })),
            Some("spec.containers[1].lifecycle.postStart"),
        ),
        (security(json!({ "privileged": true })), Some("spec.containers[1].securityContext.privileged")),
        (security(json!({ "capabilities": { "drop": ["ALL"] } })), None),
        (add("SYS_PTRACE"), None),
        (add("SYS_ADMIN"), ADDED),
        (add("CAP_BPF"), ADDED),
        (add("ALL"), ADDED),
        (json!({ "containers": [], "hostNetwork": true }), Some("spec.hostNetwork")),
        (json!({ "containers": [], "hostNetwork": false }), None),
        (json!({ "containers": [], "runtimeClassName": "kata" }), Some("spec.runtimeClassName")),
        (
            json!({ "containers": [], "initContainers": [{ "name": "i", "lifecycle": { "postStart": {} } }] }),
            Some("spec.initContainers[0].lifecycle.postStart"),
        ),
    ] {
        let pod: Pod = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap();
        let found = unsupported(&pod).map(|found| found.path);
        assert_eq!(found.as_deref(), expect, "{spec}");
    }
}
