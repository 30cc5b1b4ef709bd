use jiff::Timestamp;
use resources::condition::Status;
use serde_json::json;

use super::*;

fn failed(name: &str, reason: &str) -> Revision {
    let mut revision = Revision::default();
    let now = Time(Timestamp::UNIX_EPOCH);
    condition::set(&mut revision.status.conditions, name, Status::False, "", reason, "why", &now);
    revision
}

/// A Deployment that shall have so many instances; which generation its status is of, and what it says of its progress.
fn deployment(replicas: i32, ready: i32, observed: i64, reason: &str) -> Deployment {
    let status = if reason == DEADLINE_EXCEEDED { "False" } else { "True" };
    serde_json::from_value(json!({
        "metadata": {"generation": 2},
        "spec": {"replicas": replicas, "selector": {}, "template": {}},
        "status": {
            "observedGeneration": observed, "readyReplicas": ready,
            "conditions": [{"type": "Progressing", "status": status, "reason": reason}],
        },
    }))
    .unwrap()
}

#[test]
fn an_instance_that_is_tried_after_a_missed_deadline_is_not_stuck() {
    let missed = DEADLINE_EXCEEDED;
    let cases = [
        // (what the Revision failed by, instances wanted and ready, the generation that the Deployment speaks of, what it
        // says, whether it is stuck)
        (RESOURCES_AVAILABLE, missed, (1, 0), 2, missed, true),
        (RESOURCES_AVAILABLE, missed, (0, 0), 2, missed, false),
        (RESOURCES_AVAILABLE, missed, (1, 1), 2, missed, false),
        // It speaks of the instances that it had before it had none.
        (RESOURCES_AVAILABLE, missed, (1, 0), 1, missed, false),
        (RESOURCES_AVAILABLE, missed, (1, 0), 1, "NewReplicaSetAvailable", false),
        (RESOURCES_AVAILABLE, missed, (1, 0), 2, "NewReplicaSetAvailable", false),
        // Of other failures, none of this counts.
        (RESOURCES_AVAILABLE, "FailedCreate", (1, 0), 1, "ReplicaSetUpdated", true),
        (RESOURCES_AVAILABLE, "ImagePullBackOff", (1, 0), 2, missed, false),
        (CONTAINER_HEALTHY, "ExitCode1", (1, 0), 1, "ReplicaSetUpdated", true),
    ];
    for (name, reason, (wanted, ready), observed, says, expect) in cases {
        let deployment = deployment(wanted, ready, observed, says);
        let stuck = is_stuck(&failed(name, reason), Some(&deployment), None);
        assert_eq!(stuck, expect, "{name} {reason}, {wanted} wanted, {ready} ready, {observed} {says}");
    }
    assert!(!is_stuck(&failed(RESOURCES_AVAILABLE, missed), None, None));
}

#[test]
fn an_image_that_was_missing_is_so_until_something_else_is_known() {
    let cases = [
        (None, Outcome::Pending, (Status::Unknown, RESOLVING_DIGESTS)),
        (Some(CONTAINER_MISSING), Outcome::Pending, (Status::False, CONTAINER_MISSING)),
        (Some("ExitCode1"), Outcome::Pending, (Status::Unknown, RESOLVING_DIGESTS)),
        (None, Outcome::Failed("why".to_owned()), (Status::False, CONTAINER_MISSING)),
        (Some(CONTAINER_MISSING), Outcome::Resolved(Vec::new()), (Status::Unknown, DEPLOYING)),
    ];
    for (before, digests, (holds, reason)) in cases {
        let revision = before.map_or_else(Revision::default, |reason| failed(CONTAINER_HEALTHY, reason));
        let case = format!("{before:?} {digests:?}");
        let observed =
            Observed { digests, deployment: None, pod_autoscaler: None, trouble: Trouble::default() };
        let verdict = container_healthy(&revision.status, &observed, &Verdict::unknown("", ""));
        assert_eq!((verdict.status, verdict.reason.as_str()), (holds, reason), "{case}");
    }
}
