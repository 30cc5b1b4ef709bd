use resources::builtin::Pod;

use super::*;

fn pod(status: serde_json::Value) -> Pod {
    serde_json::from_value(serde_json::json!({"metadata": {}, "status": status})).unwrap()
}

#[test]
fn troubles() {
    let container = |status| serde_json::json!({"containerStatuses": [status]});
    let waiting = |reason: &str| {
        serde_json::json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": "m"}}})
    };
    let ended = |code: i32, message: &str| {
        serde_json::json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": code, "message": message}}})
    };
    let unseen = serde_json::json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1,
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "m"}}});
    let killed = serde_json::json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1,
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
    let not_run = |reason: &str| {
        serde_json::json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1,
            "state": {"waiting": {"reason": reason, "message": "m"}},
            "lastState": {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no program"}}})
    };
    let unscheduled = serde_json::json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}]});
    // (pod status, after the deadline, reasons for resources and containers)
    let cases = [
        (serde_json::json!({}), true, (None, None)),
        (container(waiting("ContainerCreating")), true, (None, None)),
        (container(waiting("ImagePullBackOff")), false, (Some("ImagePullBackOff"), None)),
        (container(waiting("CreateContainerConfigError")), false, (Some("CreateContainerConfigError"), None)),
        (container(waiting("Strange")), false, (None, None)),
        (container(waiting("Strange")), true, (Some("Strange"), None)),
        (container(ended(7, "boom")), true, (None, Some("ExitCode7: Container failed with: boom"))),
        (
            container(ended(0, "")),
            false,
            (None, Some("ExitCode0: Container failed with: container exited with no error")),
        ),
        (
            container(ended(1, " \n")),
            false,
            (None, Some("ExitCode1: Container failed with: container ended with exit code 1 and no message")),
        ),
        (container(unseen), true, (None, None)),
        (
            container(killed),
            true,
            (None, Some("ExitCode137: Container failed with: OOMKilled, it took more memory than it may")),
        ),
        (container(not_run("RunContainerError")), false, (Some("StartError"), None)),
        (container(not_run("CrashLoopBackOff")), false, (Some("StartError"), None)),
        (container(not_run("ContainerCreating")), false, (None, None)),
        (unscheduled, false, (Some("Unschedulable"), None)),
    ];
    for (status, timed_out, (resources, containers)) in cases {
        let found = trouble(&[pod(status.clone())], false, timed_out);
        assert_eq!(found.resources.map(|verdict| verdict.reason).as_deref(), resources, "{status}");
        let said = found.containers.map(|verdict| format!("{}: {}", verdict.reason, verdict.message));
        assert_eq!(said.as_deref(), containers, "{status}");
    }
}
