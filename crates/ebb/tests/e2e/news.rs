//! Events about pods: what `kubectl describe pod` says at night.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rig::{Ebb, need_kubectl, need_root, service_soon_idle, until};

const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: well}
spec: {containers: [{name: main, image: "dev.local/hello:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: unwell}
spec: {containers: [{name: main, image: "dev.local/hello:1", livenessProbe: {httpGet: {path: /none, port: 8080}, periodSeconds: 1, failureThreshold: 1}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: deaf}
spec: {containers: [{name: main, image: "dev.local/hello:1", readinessProbe: {httpGet: {path: /none, port: 8080}, periodSeconds: 1}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: crashing}
spec: {containers: [{name: main, image: "dev.local/hello:1", args: ["exit=1"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: imageless}
spec: {containers: [{name: main, image: "dev.local/none:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mountless}
spec:
  volumes: [{name: v, secret: {secretName: none}}]
  containers: [{name: main, image: "dev.local/hello:1", volumeMounts: [{name: v, mountPath: /v}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: homeless}
spec: {nodeSelector: {disk: tape}, containers: [{name: main, image: "dev.local/hello:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: late}
spec: {activeDeadlineSeconds: 1, containers: [{name: main, image: "dev.local/hello:1"}]}
"#;

/// What is to be told: pod, reason, a part of the message.
const TOLD: &[(&str, &str, &str)] = &[
    ("well", "Scheduled", "Successfully assigned default/well to ebb"),
    ("well", "Pulled", "already present on machine"),
    ("well", "Created", "Created container: main"),
    ("well", "Started", "Started container main"),
    ("unwell", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"),
    ("unwell", "Killing", "Container main failed liveness probe, will be restarted"),
    ("deaf", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404"),
    ("crashing", "BackOff", "Back-off restarting failed container main in pod crashing"),
    ("imageless", "Failed", "ebb image load"),
    ("imageless", "BackOff", "Back-off pulling image"),
    ("mountless", "FailedMount", "secret \"none\" not found"),
    ("homeless", "FailedScheduling", "didn't match Pod's node affinity/selector"),
    ("late", "DeadlineExceeded", "longer than the specified deadline"),
];

#[test]
fn what_goes_wrong_with_a_pod_is_told() {
    const NAME: &str = "what_goes_wrong_with_a_pod_is_told";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(PODS);
    ebb.apply(&service_soon_idle("hello"));
    let url = ebb.ready("hello");
    let events = || -> Vec<Value> {
        let list = ebb.kubectl(&["get", "events", "--field-selector=involvedObject.kind=Pod", "-o", "json"]);
        serde_json::from_str::<Value>(&list).unwrap()["items"].as_array().unwrap().clone()
    };
    for (pod, reason, part) in TOLD {
        let told = until(|| {
            events().into_iter().find(|event| {
                event["involvedObject"]["name"] == *pod
                    && event["reason"] == *reason
                    && event["message"].as_str().unwrap().contains(part)
            })
        });
        let told = told.unwrap_or_else(|| panic!("{pod} {reason}: {:#?}", events()));
        let is_normal = ["Scheduled", "Pulled", "Created", "Started", "Killing"].contains(reason);
        assert_eq!(told["type"], if is_normal { "Normal" } else { "Warning" }, "{told}");
    }
    let described = ebb.kubectl(&["describe", "pod", "unwell"]);
    assert!(described.contains("Liveness probe failed") && described.contains("kubelet"), "{described}");

    // Each of them once for each reason and container, however often it came.
    let mut all = BTreeMap::new();
    for event in events() {
        let about = &event["involvedObject"];
        *all.entry((
            about["name"].to_string(),
            about["fieldPath"].to_string(),
            event["reason"].to_string(),
        ))
        .or_insert(0) += 1;
    }
    assert!(all.values().all(|count| *count == 1), "{all:?}");

    // A start from zero that goes as it should writes none until it is over for a while.
    ebb.at_zero("serving.knative.dev/service=hello");
    let of_hello = || -> BTreeSet<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = events().into_iter();
        let named = all.map(|event| (text(&event["involvedObject"]["name"]), text(&event["reason"])));
        named.filter(|(pod, _)| pod.starts_with("hello-")).collect()
    };
    let before: BTreeSet<_> = of_hello().into_iter().map(|(pod, _)| pod).collect();
    let reasons = || -> BTreeSet<String> {
        let new = of_hello().into_iter().filter(|(pod, _)| !before.contains(pod));
        new.map(|(_, reason)| reason).collect()
    };
    assert_eq!(ebb.call(&url).status, 200);
    assert_eq!(reasons(), BTreeSet::new());
    let all: BTreeSet<_> = ["Created", "Pulled", "Scheduled", "Started"].map(str::to_owned).into();
    assert!(until(|| (reasons() == all).then_some(())).is_some(), "{:?}", reasons());
}

const ILL: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hungry}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1", resources: {limits: {memory: 48Mi}}}]}}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: deaf}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1", readinessProbe: {httpGet: {path: /none}}}]}}}
"#;

#[test]
fn what_ails_a_service_stands_in_its_description() {
    const NAME: &str = "what_ails_a_service_stands_in_its_description";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(ILL);
    let described = |name: &str, parts: &[&str]| {
        let described = || ebb.ebb_says(&["service", "describe", name]);
        let told = until(|| Some(described()).filter(|text| parts.iter().all(|part| text.contains(part))));
        told.unwrap_or_else(|| panic!("{parts:?} in {}", described()))
    };
    let url = ebb.ready("hungry");
    assert_eq!(ebb.call(&format!("{url}/allocate?mb=8")).status, 200);
    assert_eq!(ebb.call(&format!("{url}/allocate?mb=200")).status, 502, "its container was killed");
    let killed = "Container user-container was killed: it took more memory than it may (its limit is 48Mi)";
    // It is ready again by then, and says so.
    described(
        "hungry",
        &[
            "++ Ready",
            "Warnings:",
            "OOMKilled",
            killed,
            "Try next:  change requests or limits: `ebb service update hungry",
        ],
    );
    assert_eq!(ebb.call(&url).status, 200);

    // Not when it is not ready yet, but when that takes long.
    let failed = "Readiness probe failed: HTTP probe failed with statuscode: 404";
    described("deaf", &["Unhealthy", failed]);
    // Whoever waits for it is told, too.
    let waited = || ebb.ebb_fails(&["service", "wait", "deaf", "--wait-timeout", "7"]);
    let told = |text: &String| text.contains("s Waiting for revision deaf-00001: ") && text.contains(failed);
    assert!(until(|| Some(waited()).filter(told)).is_some(), "{}", waited());
}
