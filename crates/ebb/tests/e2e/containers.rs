//! Pods as such: several containers, restarts, logs.

use serde_json::Value;

use crate::rig::{Ebb, need_kubectl, need_root, until};

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  containers:
    - {name: one, image: "dev.local/hello:1", env: [{name: PORT, value: "8081"}]}
    - {name: two, image: "dev.local/hello:1", env: [{name: PORT, value: "8082"}]}
"#;

fn pod(ebb: &Ebb) -> Option<Value> {
    let pod = ebb.object("pod", "pair")?;
    let statuses = pod["status"]["containerStatuses"].as_array()?.clone();
    statuses.iter().all(|status| status["ready"] == true).then_some(pod)
}

fn restarts(pod: &Value) -> Vec<i64> {
    pod["status"]["containerStatuses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status["restartCount"].as_i64().unwrap())
        .collect()
}

#[test]
fn a_container_that_dies_is_restarted_alone() {
    const NAME: &str = "a_container_that_dies_is_restarted_alone";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(POD);
    let before = until(|| pod(&ebb)).expect("the pod is ready");
    let victim = processes_with("PORT=8081");
    let witness = processes_with("PORT=8082");
    assert!(!victim.is_empty() && !witness.is_empty());
    for pid in &victim {
        let pid = rustix::process::Pid::from_raw(*pid).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let after =
        until(|| pod(&ebb).filter(|pod| restarts(pod) == [1, 0])).expect("only the first is restarted");
    assert_eq!(before["status"]["podIP"], after["status"]["podIP"], "the address stays");
    assert_eq!(processes_with("PORT=8082"), witness, "the other one was left alone");
    let logs = ebb.kubectl(&["logs", "pair", "-c", "two"]);
    assert!(logs.contains("8082"), "{logs}");
}

/// Processes with this in their environment, none of them this test's or the daemon's.
fn processes_with(variable: &str) -> Vec<i32> {
    let has = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(has).collect()
}
