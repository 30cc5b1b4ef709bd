//! The reasons that a node gives in a container's status: what it waits for, and how it ended (upstream: kubernetes, kubelet
//! and container runtimes).
//!
//! Which of them matter to whom, each decides for itself.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus};

/// It waits: its start is on its way.
pub const CONTAINER_CREATING: &str = "ContainerCreating";
/// It waits: for the init containers before it.
pub const POD_INITIALIZING: &str = "PodInitializing";
/// It waits: it has ended more than once, and is started again after a while.
pub const CRASH_LOOP_BACK_OFF: &str = "CrashLoopBackOff";
/// It waits: its image has no name that can be.
pub const INVALID_IMAGE_NAME: &str = "InvalidImageName";
/// It waits: its image could not be looked at.
pub const IMAGE_INSPECT_ERROR: &str = "ImageInspectError";
/// It waits: its image is not there, and shall not be pulled.
pub const ERR_IMAGE_NEVER_PULL: &str = "ErrImageNeverPull";
/// It waits: its image could not be pulled this once.
pub const ERR_IMAGE_PULL: &str = "ErrImagePull";
/// It waits: its image could not be pulled more than once, and is tried again after a while.
pub const IMAGE_PULL_BACK_OFF: &str = "ImagePullBackOff";
/// It waits: its image's registry does not answer.
pub const REGISTRY_UNAVAILABLE: &str = "RegistryUnavailable";
/// It waits: what its configuration names is not there.
pub const CREATE_CONTAINER_CONFIG_ERROR: &str = "CreateContainerConfigError";
/// It waits: it could not be made.
pub const CREATE_CONTAINER_ERROR: &str = "CreateContainerError";
/// It waits: its program could not be run, and is tried again at once.
pub const RUN_CONTAINER_ERROR: &str = "RunContainerError";
/// It waits: the machine could not run it for want of something of its own.
pub const CONTAINER_CANNOT_RUN: &str = "ContainerCannotRun";
/// It ended before it began: its program could not be run (upstream: containerd).
pub const START_ERROR: &str = "StartError";
/// It ended: it took more memory than it may.
pub const OOM_KILLED: &str = "OOMKilled";
/// It ended while nobody saw it, so of how it is nothing known.
pub const CONTAINER_STATUS_UNKNOWN: &str = "ContainerStatusUnknown";

/// The end of what could not be run, of a container that waits for another try of it.
pub fn could_not_be_run(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let waits_for = status.state.as_ref()?.waiting.as_ref()?.reason.as_deref();
    let last = status.last_state.as_ref()?.terminated.as_ref()?;
    let waits = matches!(waits_for, Some(CRASH_LOOP_BACK_OFF | RUN_CONTAINER_ERROR));
    (waits && last.reason.as_deref() == Some(START_ERROR)).then_some(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_could_not_be_run_waits_for_another_try() {
        let waiting = |reason: &str| json!({ "waiting": { "reason": reason } });
        let ended = |reason: &str| json!({ "terminated": { "exitCode": 128, "reason": reason } });
        let (none, running) = (json!({}), json!({ "running": {} }));
        for (state, last, expect) in [
            (waiting(RUN_CONTAINER_ERROR), ended(START_ERROR), true),
            (waiting(CRASH_LOOP_BACK_OFF), ended(START_ERROR), true),
            (waiting(CRASH_LOOP_BACK_OFF), ended("Error"), false),
            (waiting(CRASH_LOOP_BACK_OFF), none.clone(), false),
            // It is being tried, waits for something else by now, or runs.
            (waiting(CONTAINER_CREATING), ended(START_ERROR), false),
            (waiting(IMAGE_PULL_BACK_OFF), ended(START_ERROR), false),
            (running, ended(START_ERROR), false),
            (none, ended(START_ERROR), false),
        ] {
            let status = json!({
                "name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 1,
                "state": state, "lastState": last,
            });
            let status: ContainerStatus = serde_json::from_value(status).unwrap();
            assert_eq!(could_not_be_run(&status).is_some(), expect, "{state} {last}");
        }
    }
}
