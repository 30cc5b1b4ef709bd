use serde_json::{Value, json};

use super::*;

fn taken_over(policy: &str, is_init: bool, state: Value, last: Option<i32>) -> Record {
    let (containers, statuses) = match is_init {
        true => ("initContainers", "initContainerStatuses"),
        false => ("containers", "containerStatuses"),
    };
    let mut status = json!({
        "name": "app", "image": "app", "imageID": "sha256:1", "ready": true, "restartCount": 3, "state": state,
    });
    if let Some(code) = last {
        status["lastState"] = json!({ "terminated": { "exitCode": code } });
    }
    let mut pod = json!({ "spec": { "containers": [], "restartPolicy": policy }, "status": {} });
    pod["spec"][containers] = json!([{ "name": "app" }]);
    pod["status"][statuses] = json!([status]);
    let pod: Pod = serde_json::from_value(pod).unwrap();
    records(&pod, Timestamp::UNIX_EPOCH).remove(0)
}

#[test]
fn what_was_told_is_taken_over() {
    let running = || json!({ "running": {} });
    let done = |code: i32| json!({ "terminated": { "exitCode": code } });
    let crashing = || json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    // The policy, what was told, and then: whether it runs again, its restarts, and how the run before ended.
    for (policy, is_init, state, last, again, restarts, before) in [
        ("Always", false, running(), Some(1), true, 4, Some(137)),
        ("Always", false, crashing(), Some(1), true, 3, Some(1)),
        ("Always", false, done(0), None, true, 4, Some(0)),
        ("OnFailure", false, done(0), Some(5), false, 3, Some(5)),
        ("OnFailure", false, done(2), None, true, 4, Some(2)),
        ("Never", false, done(2), None, false, 3, None),
        ("Always", true, done(0), None, true, 4, Some(0)),
    ] {
        let name = format!("{policy} {is_init} {state}");
        let record = taken_over(policy, is_init, state, last);
        let waits = matches!(record.state, State::Waiting { .. });
        let last = record.last.map(|last| last.code);
        assert_eq!((waits, record.restarts, last), (again, restarts, before), "{name}");
        assert_eq!(record.image_id, "sha256:1", "{name}");
    }
}

#[test]
fn a_back_off_goes_on() {
    let wait = |state| taken_over("Always", false, state, Some(1)).backoff.after(std::time::Duration::ZERO);
    assert_eq!(wait(json!({ "waiting": { "reason": "CrashLoopBackOff" } })).as_secs(), 40);
    assert_eq!(wait(json!({ "running": {} })).as_secs(), 0);
}

#[test]
fn told_ready() {
    for (conditions, expect) in [
        (json!([]), false),
        (json!([{ "type": "Ready", "status": "False" }]), false),
        (json!([{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": "True" }]), true),
    ] {
        let status = serde_json::from_value(json!({ "conditions": conditions })).unwrap();
        assert_eq!(is_told_ready(Some(&status)), expect, "{conditions}");
    }
    assert!(!is_told_ready(None));
}
