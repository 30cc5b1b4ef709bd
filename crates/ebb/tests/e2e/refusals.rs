//! What a pod asks for and cannot have: refused, or said.

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl, need_root, until};

/// A pod whose only container has this beside its image.
fn pod(name: &str, container: &str, spec: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{{spec} containers: [{{name: main, image: "dev.local/hello:1", {container}}}]}}
---
"#
    )
}

#[test]
fn what_the_node_cannot_give_is_refused_by_name() {
    if !need_kubectl("what_the_node_cannot_give_is_refused_by_name") {
        return;
    }
    let ebb = Ebb::up();
    let add = |name: &str| format!("securityContext: {{capabilities: {{add: [{name}]}}}}");
    let beyond = [
        "SYS_ADMIN",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_BOOT",
        "SYS_TIME",
        "MAC_ADMIN",
        "BPF",
        "PERFMON",
        "DAC_READ_SEARCH",
        "MKNOD",
        "ALL",
    ];
    let mut cases: Vec<_> = beyond
        .iter()
        .map(|name| (add(name), format!("securityContext.capabilities.add[0]: Forbidden: not supported by the embedded node: the capability {name}")))
        .collect();
    cases.extend([
        ("securityContext: {privileged: true}".to_owned(), "securityContext.privileged".to_owned()),
        (
            "lifecycle: {postStart: {tcpSocket: {port: 1}}}".to_owned(),
            "lifecycle.postStart.tcpSocket".to_owned(),
        ),
        ("lifecycle: {preStop: {tcpSocket: {port: 1}}}".to_owned(), "lifecycle.preStop.tcpSocket".to_owned()),
    ]);
    for (container, expect) in cases {
        let error = ebb.refused(&pod("refused", &container, ""));
        assert!(
            error.contains(&format!("spec.containers[0].{expect}")) || error.contains(&expect),
            "{container}: {error}"
        );
    }
    let deployment = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: refused}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: main, image: a, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}}
"#;
    assert!(ebb.refused(deployment).contains("spec.template.spec.containers[0].securityContext"));
    ebb.apply(&pod("harmless", &add("NET_ADMIN, SYS_PTRACE"), ""));
    ebb.in_phase("harmless", "Running");
}

#[test]
fn a_pod_that_fits_nowhere_waits_and_says_so() {
    if !need_kubectl("a_pod_that_fits_nowhere_waits_and_says_so") {
        return;
    }
    let ebb = Ebb::up();
    let requests = |amount: &str| format!("resources: {{requests: {{{amount}}}}}");
    let cases = [
        ("processors", requests("cpu: 100k"), "", "1 Insufficient cpu"),
        ("memory", requests("memory: 1Ei"), "", "1 Insufficient memory"),
        (
            "selector",
            String::new(),
            "nodeSelector: {disk: ssd},",
            "didn't match Pod's node affinity/selector",
        ),
    ];
    let manifests: String =
        cases.iter().map(|(name, container, spec, _)| pod(name, container, spec)).collect();
    ebb.apply(&manifests);
    for (name, _, _, why) in &cases {
        let unscheduled = |pod: &Value| {
            condition(pod, "PodScheduled").is_some_and(|it| {
                it["reason"] == "Unschedulable" && it["message"].as_str().unwrap().contains(why)
            })
        };
        let pod = ebb.settled("pod", name, unscheduled);
        assert_eq!(pod["status"]["phase"], "Pending");
    }
    ebb.kubectl(&["label", "node", "ebb", "disk=ssd"]);
    ebb.in_phase("selector", "Running");
    ebb.kubectl(&["delete", "pod", "processors", "memory", "selector"]);

    ebb.apply(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: greedy}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1", resources: {requests: {cpu: 100k}}}]}}}
"#,
    );
    let told = |revision: &Value| {
        condition(revision, "ResourcesAvailable").is_some_and(|it| {
            it["reason"] == "Unschedulable" && it["message"].as_str().unwrap().contains("Insufficient cpu")
        })
    };
    ebb.settled("revision", "greedy-00001", told);
}

#[test]
fn an_account_that_does_not_exist_is_said_and_waited_for() {
    const NAME: &str = "an_account_that_does_not_exist_is_said_and_waited_for";
    if !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::up();
    let told = |prefix: &str| {
        format!(
            "pods \"{prefix}\" is forbidden: error looking up service account default/robot: serviceaccount \"robot\" \
             not found"
        )
    };
    let error = ebb.refused(&pod("runs-as-nobody", "", "serviceAccountName: robot,"));
    assert!(error.contains(&told("runs-as-nobody")), "{error}");
    ebb.apply(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: masked}
spec: {template: {spec: {serviceAccountName: robot, containers: [{image: "dev.local/hello:1"}]}}}
"#,
    );
    let says = |revision: &Value| {
        condition(revision, "ResourcesAvailable").is_some_and(|it| {
            it["reason"] == "FailedCreate"
                && it["message"].as_str().unwrap().contains("account default/robot")
        })
    };
    ebb.settled("revision", "masked-00001", says);
    let described = ebb.ebb_says(&["service", "describe", "masked"]);
    assert!(
        described.contains("Try next:   `kubectl create serviceaccount -n default ACCOUNT`"),
        "{described}"
    );
    ebb.kubectl(&["create", "serviceaccount", "robot"]);
    assert_eq!(ebb.call(&ebb.ready("masked")).status, 200);
}

const LATE: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: variables}
spec: {containers: [{name: main, image: "dev.local/hello:1", env: [{name: A, valueFrom: {configMapKeyRef: {name: late, key: a}}}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: files}
spec:
  volumes: [{name: late, secret: {secretName: late}}]
  containers: [{name: main, image: "dev.local/hello:1", volumeMounts: [{name: late, mountPath: /late}]}]
---
"#;

/// Volumes that no waiting brings.
const FOREIGN: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: host}
spec:
  volumes: [{name: foreign, hostPath: {path: /}}]
  containers: [{name: main, image: "dev.local/hello:1", volumeMounts: [{name: foreign, mountPath: /v}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: claim}
spec:
  volumes: [{name: foreign, persistentVolumeClaim: {claimName: c}}]
  containers: [{name: main, image: "dev.local/hello:1", volumeMounts: [{name: foreign, mountPath: /v}]}]
"#;

#[test]
#[allow(clippy::disallowed_methods, reason = "how long another process takes is what is shown")]
fn what_was_missing_is_taken_as_soon_as_it_appears() {
    const NAME: &str = "what_was_missing_is_taken_as_soon_as_it_appears";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(LATE);
    ebb.apply(FOREIGN);
    let waiting = |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"].clone();
    for (name, why) in [("variables", "configmap \"late\" not found"), ("files", "secret \"late\" not found")]
    {
        ebb.settled("pod", name, |pod| waiting(pod)["message"] == why);
    }
    for name in ["host", "claim"] {
        let why = r#"volume "foreign" is of a kind that this node does not support"#;
        let said = |pod: &Value| waiting(pod)["message"].as_str().is_some_and(|said| said.starts_with(why));
        assert_eq!(ebb.settled("pod", name, said)["status"]["phase"], "Pending");
    }
    // Until its waits are longer than what is allowed below.
    let created: jiff::Timestamp = ebb.object("pod", "files").unwrap()["metadata"]["creationTimestamp"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    until(|| (jiff::Timestamp::now().duration_since(created).as_secs() > 8).then_some(())).unwrap();
    let values = |key: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: late}}, data: {{{key}: x}}}}\n---\n\
             {{apiVersion: v1, kind: Secret, metadata: {{name: late}}, stringData: {{b: x}}}}\n"
        )
    };
    // The node's own time is what counts, not that of kubectl: a wait that nobody cut short would take longer.
    let starts_at_once = |name: &str| {
        let told = jiff::Timestamp::now();
        let pod = ebb.in_phase(name, "Running");
        let state = &pod["status"]["containerStatuses"][0]["state"];
        let started: jiff::Timestamp = state["running"]["startedAt"].as_str().unwrap().parse().unwrap();
        let wait = started.duration_since(told);
        assert!(wait <= jiff::SignedDuration::from_secs(3), "{wait:?} after {told}: {state}");
    };
    ebb.apply(&values("b"));
    starts_at_once("files");
    // It is there now, but not what is asked of it.
    ebb.settled("pod", "variables", |pod| waiting(pod)["message"] == "couldn't find key a in configmap late");
    ebb.apply(&values("a"));
    starts_at_once("variables");
}

const FULL: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: memory}
spec:
  restartPolicy: Never
  volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]
  containers:
    - {name: main, image: "dev.local/hello:1", args: ["fill=/v/a:900000", "fill=/v/b:900000", "exit=0"], volumeMounts: [{name: v, mountPath: /v}]}
---
apiVersion: v1
kind: Pod
metadata: {name: disk}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]
  containers:
    - {name: main, image: "dev.local/hello:1", args: ["fill=/v/a:2000000"], volumeMounts: [{name: v, mountPath: /v}]}
---
apiVersion: v1
kind: Pod
metadata: {name: kept}
spec:
  volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
  containers:
    - {name: main, image: "dev.local/hello:1", args: ["list=/v", "write=/v/a:x", "write=/m/a:x"], volumeMounts: [{name: v, mountPath: /v}, {name: m, mountPath: /m}]}
"#;

#[test]
fn an_empty_dir_is_as_large_as_it_may_be_and_goes_with_its_pod() {
    const NAME: &str = "an_empty_dir_is_as_large_as_it_may_be_and_goes_with_its_pod";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(FULL);
    ebb.in_phase("memory", "Succeeded");
    let full = "error: No space left on device (os error 28)";
    ebb.saw("memory", "main", &[("fill", ""), ("fill", full)]);
    let evicted = ebb.in_phase("disk", "Failed");
    assert_eq!(evicted["status"]["reason"], "Evicted");
    let message = evicted["status"]["message"].as_str().unwrap();
    assert!(message.contains(r#"EmptyDir volume "v" exceeds the limit "1Mi""#), "{message}");

    let kept = ebb.in_phase("kept", "Running");
    let uid = kept["metadata"]["uid"].as_str().unwrap().to_owned();
    let on_disk = ebb.dir().join("volumes").join(&uid);
    assert!(until(|| on_disk.join("v/a").exists().then_some(())).is_some(), "it is in the data directory");
    ebb.kubectl(&["delete", "pod", "memory", "disk"]);
    // One that nobody removed, and one that is still somebody's.
    ebb.kill_all();
    std::fs::create_dir_all(ebb.dir().join("volumes/nobody/v")).unwrap();
    ebb.restart();
    let again = || ebb.log("kept", "main").contains("list=/v -> a\n").then_some(());
    assert!(until(again).is_some(), "a pod's directory outlives a crash: {}", ebb.log("kept", "main"));
    let only = || {
        let left = std::fs::read_dir(ebb.dir().join("volumes")).unwrap().flatten();
        left.map(|entry| entry.file_name()).eq([uid.as_str()]).then_some(())
    };
    assert!(until(only).is_some(), "only the pod that is there has a directory");
    ebb.kubectl(&["delete", "pod", "kept"]);
    assert!(until(|| (!on_disk.exists()).then_some(())).is_some(), "it goes with its pod");
    ebb.apply(FULL.rsplit("---").next().unwrap());
    ebb.in_phase("kept", "Running");
    assert!(ebb.stop(), "it ends well");
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains("/volumes/m "), "{mounts}");
}
