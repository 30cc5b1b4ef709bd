//! The life of containers: what comes first, what probes do, how they end, and what is told of it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::rig::{Ebb, need_kubectl, need_root, until};

/// A pod's only container, or the one at this place.
fn container(pod: &Value, list: &str, at: usize) -> Value {
    pod["status"][list][at].clone()
}

/// `never-up` is asked to go only when it had the time to become stubborn.
const PROBED: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: unwell}
spec:
  containers:
    - name: main
      image: dev.local/hello:1
      livenessProbe: {httpGet: {path: /none, port: 8080}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: never-up}
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - name: main
      image: dev.local/hello:1
      args: [stubborn]
      startupProbe: {tcpSocket: {port: 9}, periodSeconds: 1, failureThreshold: 4, terminationGracePeriodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  containers:
    - name: main
      image: dev.local/hello:1
      env: [{name: HEALTHZ_DELAY_MS, value: "2500"}]
      startupProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 30}
      livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 1}
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
"#;

#[test]
fn probes_restart_what_fails_and_wait_for_what_starts() {
    const NAME: &str = "probes_restart_what_fails_and_wait_for_what_starts";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(PROBED);
    let slow = ebb.settled("pod", "slow", |pod| container(pod, "containerStatuses", 0)["ready"] == true);
    let status = container(&slow, "containerStatuses", 0);
    assert_eq!(
        (&status["restartCount"], &status["started"]),
        (&Value::from(0), &Value::from(true)),
        "a liveness probe that ran before the startup probe had passed would have ended it: {status}"
    );
    for (pod, code, why) in [
        ("unwell", 0, "Liveness probe failed: HTTP probe failed with statuscode: 404"),
        ("never-up", 137, "Startup probe failed: dial tcp :9"),
    ] {
        let restarted =
            |pod: &Value| container(pod, "containerStatuses", 0)["restartCount"].as_i64() > Some(0);
        let pod = ebb.settled("pod", pod, restarted);
        let last = container(&pod, "containerStatuses", 0)["lastState"]["terminated"].clone();
        assert_eq!(last["exitCode"], code, "{last}");
        assert!(last["message"].as_str().unwrap().contains(why), "{last}");
    }
}

const INIT: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: ordered}
spec:
  restartPolicy: Never
  volumes: [{name: d, emptyDir: {}}]
  initContainers:
    - {name: first, image: "dev.local/hello:1", args: ["list=/d", "sleep=300", "write=/d/1:x", "exit=0"], volumeMounts: [{name: d, mountPath: /d}]}
    - {name: second, image: "dev.local/hello:1", args: ["list=/d", "write=/d/2:x", "exit=0"], volumeMounts: [{name: d, mountPath: /d}]}
  containers:
    - {name: main, image: "dev.local/hello:1", args: ["list=/d", "exit=0"], volumeMounts: [{name: d, mountPath: /d}]}
---
apiVersion: v1
kind: Pod
metadata: {name: unprepared}
spec:
  restartPolicy: Never
  initContainers: [{name: first, image: "dev.local/hello:1", args: ["exit=3"]}]
  containers: [{name: main, image: "dev.local/hello:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  initContainers: [{name: first, image: "dev.local/hello:1", args: ["exit=3"]}]
  containers: [{name: main, image: "dev.local/hello:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: written}
spec:
  restartPolicy: Never
  containers:
    - {name: usual, image: "dev.local/hello:1", args: ["write=/dev/termination-log:because", "exit=4"]}
    - {name: elsewhere, image: "dev.local/hello:1", args: ["write=/why:of that", "exit=5"], terminationMessagePath: /why}
    - {name: logged, image: "dev.local/hello:1", args: ["say=the last words", "exit=6"], terminationMessagePolicy: FallbackToLogsOnError}
    - {name: well, image: "dev.local/hello:1", args: ["say=nothing", "exit=0"], terminationMessagePolicy: FallbackToLogsOnError}
    - {name: silent, image: "dev.local/hello:1", args: ["exit=7"]}
"#;

#[test]
fn containers_come_in_their_order_and_leave_their_messages() {
    const NAME: &str = "containers_come_in_their_order_and_leave_their_messages";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(INIT);
    ebb.in_phase("ordered", "Succeeded");
    for (container, files) in [("first", ""), ("second", "1"), ("main", "1 2")] {
        ebb.saw("ordered", container, &[("list=/d", files)]);
    }
    let failed = ebb.in_phase("unprepared", "Failed");
    assert_eq!(container(&failed, "initContainerStatuses", 0)["state"]["terminated"]["exitCode"], 3);
    let main = container(&failed, "containerStatuses", 0);
    assert_eq!(main["state"]["waiting"]["reason"], "PodInitializing", "{main}");
    let crashed = |pod: &Value| {
        container(pod, "initContainerStatuses", 0)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    };
    let again = ebb.settled("pod", "again", crashed);
    assert_eq!(again["status"]["phase"], "Pending");
    assert!(ebb.kubectl(&["get", "pod", "again"]).contains("Init:CrashLoopBackOff"));

    let written = ebb.in_phase("written", "Failed");
    let expected = [
        (4, Some("because")),
        (5, Some("of that")),
        (6, Some("say=the last words -> the last words\nexit=6 ->\n")),
        (0, None),
        (7, None),
    ];
    for (at, (code, message)) in expected.into_iter().enumerate() {
        let ended = container(&written, "containerStatuses", at)["state"]["terminated"].clone();
        assert_eq!((&ended["exitCode"], ended["message"].as_str()), (&Value::from(code), message), "{ended}");
        assert_eq!(ended["reason"], if code == 0 { "Completed" } else { "Error" }, "{ended}");
    }
}

const ENDING: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: polite}
spec:
  terminationGracePeriodSeconds: 50
  containers:
    - name: main
      image: dev.local/hello:1
      lifecycle: {preStop: {httpGet: {path: "/say?text=goodbye", port: 8080}}}
---
apiVersion: v1
kind: Pod
metadata: {name: stubborn}
spec:
  terminationGracePeriodSeconds: 3
  containers: [{name: main, image: "dev.local/hello:1", args: [stubborn]}]
---
apiVersion: v1
kind: Pod
metadata: {name: sleeper}
spec:
  terminationGracePeriodSeconds: 50
  containers: [{name: main, image: "dev.local/hello:1", lifecycle: {preStop: {sleep: {seconds: 2}}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: limited}
spec:
  activeDeadlineSeconds: 1
  containers: [{name: main, image: "dev.local/hello:1"}]
"#;

#[test]
#[allow(clippy::disallowed_methods, reason = "how long another process takes is what is shown")]
fn a_pod_has_its_grace_and_no_more() {
    const NAME: &str = "a_pod_has_its_grace_and_no_more";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(ENDING);
    for pod in ["polite", "stubborn", "sleeper"] {
        ebb.settled("pod", pod, |pod| container(pod, "containerStatuses", 0)["ready"] == true);
    }
    until(|| ebb.log("stubborn", "main").contains("stubborn ->").then_some(())).unwrap();
    let follower = std::thread::scope(|scope| {
        let follower = scope.spawn(|| ebb.kubectl(&["logs", "-f", "polite"]));
        until(|| ebb.log("polite", "main").contains("listening").then_some(())).unwrap();
        for (pod, least, most) in [("polite", 0, 10), ("stubborn", 3, 10), ("sleeper", 2, 10)] {
            let began = Instant::now();
            ebb.kubectl(&["delete", "pod", pod]);
            let took = began.elapsed();
            assert!(
                took >= Duration::from_secs(least) && took < Duration::from_secs(most),
                "{pod}: {took:?}"
            );
        }
        follower.join().unwrap()
    });
    assert!(follower.contains("goodbye"), "{follower}");
    let limited = ebb.in_phase("limited", "Failed");
    assert_eq!(limited["status"]["reason"], "DeadlineExceeded");
    let main = container(&limited, "containerStatuses", 0);
    assert!(main["state"]["terminated"].is_object(), "{main}");
}
