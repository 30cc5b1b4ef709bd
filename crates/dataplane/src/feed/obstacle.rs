//! Whether a pod cannot start, so that waiting for it helps nobody. Pure.
//!
//! A request at zero waits for its instance, however long that takes: an image that is pulled, a slow app, a crash that a
//! restart mends. It is not to wait for what goes on until somebody mends something, and that the pod's containers say
//! by the reasons for which they wait (upstream: kubernetes, kubelet).

use resources::{
    builtin::{ContainerStatus, Pod, PodStatus},
    container_reasons::{
        CRASH_LOOP_BACK_OFF, CREATE_CONTAINER_CONFIG_ERROR, CREATE_CONTAINER_ERROR, ERR_IMAGE_NEVER_PULL,
        IMAGE_INSPECT_ERROR, IMAGE_PULL_BACK_OFF, INVALID_IMAGE_NAME, START_ERROR, could_not_be_run,
    },
};

/// Reasons that stay until somebody mends something outside the pod: each try fails in the same way. What the next try,
/// a second later, may find mended is none of them, such as a registry that did not answer once.
const LASTING: &[&str] = &[
    CREATE_CONTAINER_CONFIG_ERROR,
    CREATE_CONTAINER_ERROR,
    ERR_IMAGE_NEVER_PULL,
    IMAGE_INSPECT_ERROR,
    IMAGE_PULL_BACK_OFF,
    INVALID_IMAGE_NAME,
];

/// After so many restarts a container that has never been ready is taken for one that never will be. The first come
/// within seconds, and what an app waits for may be there by then.
const RESTARTS_MIN: i32 = 2;

/// Why a pod cannot start, in one word; `None` as long as it may. More is for the pod's owner alone, since callers may be
/// anybody: messages name Secrets and registries, and repeat what an app has printed.
pub(super) fn obstacle(pod: &Pod) -> Option<&'static str> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    let mut containers = init.chain(status.container_statuses.iter().flatten());
    containers.find_map(|container| of_container(container, status))
}

fn of_container(container: &ContainerStatus, pod: &PodStatus) -> Option<&'static str> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if could_not_be_run(container).is_some() {
        // The first time it is tried again at once.
        return (container.restart_count > 0).then_some(START_ERROR);
    }
    let has_ended = container.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
    if has_ended && reason == CRASH_LOOP_BACK_OFF {
        let never_works = container.restart_count >= RESTARTS_MIN && !was_ready(pod);
        return never_works.then_some(CRASH_LOOP_BACK_OFF);
    }
    LASTING.iter().copied().find(|lasting| *lasting == reason)
}

/// Whether the pod was ready once: it began as not ready, so that is when it last became so otherwise.
fn was_ready(pod: &PodStatus) -> bool {
    let mut conditions = pod.conditions.iter().flatten();
    let ready = conditions.find(|condition| condition.type_ == "Ready");
    let since = ready.and_then(|ready| ready.last_transition_time.as_ref());
    match (since, &pod.start_time) {
        (Some(since), Some(began)) => since.0 > began.0,
        // Without times nothing is known, so it is waited for.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BEGAN: &str = "2026-01-01T00:00:00Z";
    const LATER: &str = "2026-01-01T00:01:00Z";

    /// A pod of one container in this state, which has been as ready as it is since then.
    fn pod(since: &str, restarts: i32, state: &Value, last: &Value) -> Pod {
        let container = json!({
            "name": "user-container", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
            "state": state, "lastState": last,
        });
        let ready = json!({"type": "Ready", "status": "False", "lastTransitionTime": since});
        let status = json!({"startTime": BEGAN, "conditions": [ready], "containerStatuses": [container]});
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    fn waiting(reason: &str) -> Value {
        json!({"waiting": {"reason": reason, "message": "why"}})
    }

    #[test]
    fn only_what_waiting_does_not_mend_soon_counts() {
        let (none, crashed) = (json!({}), json!({"terminated": {"exitCode": 3, "message": "no database"}}));
        let not_run =
            json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": "no program"}});
        let (running, ended) = (json!({"running": {}}), json!({"terminated": {"exitCode": 1}}));
        // (since when it is not ready, restarts, state, last state, what callers are told)
        let cases = [
            (BEGAN, 0, waiting("ContainerCreating"), &none, None),
            (BEGAN, 0, waiting("PodInitializing"), &none, None),
            (BEGAN, 0, waiting("FailedCreatePodSandBox"), &none, None),
            (BEGAN, 0, waiting("ContainerCannotRun"), &none, None),
            (BEGAN, 0, running.clone(), &none, None),
            (BEGAN, 9, running, &crashed, None),
            (BEGAN, 0, ended, &none, None),
            // The next try, a second later, may find it mended.
            (BEGAN, 0, waiting("ErrImagePull"), &none, None),
            (BEGAN, 0, waiting("RegistryUnavailable"), &none, None),
            (BEGAN, 0, waiting("RunContainerError"), &none, None),
            (BEGAN, 0, waiting("ImagePullBackOff"), &none, Some("ImagePullBackOff")),
            (BEGAN, 0, waiting("ErrImageNeverPull"), &none, Some("ErrImageNeverPull")),
            (BEGAN, 0, waiting("InvalidImageName"), &none, Some("InvalidImageName")),
            (BEGAN, 0, waiting("CreateContainerConfigError"), &none, Some("CreateContainerConfigError")),
            (BEGAN, 0, waiting("CreateContainerError"), &none, Some("CreateContainerError")),
            // It worked, and its image is gone since.
            (LATER, 4, waiting("ImagePullBackOff"), &crashed, Some("ImagePullBackOff")),
            // A program that cannot be run is tried twice.
            (BEGAN, 0, waiting("RunContainerError"), &not_run, None),
            (BEGAN, 1, waiting("RunContainerError"), &not_run, Some("StartError")),
            (BEGAN, 1, waiting("CrashLoopBackOff"), &not_run, Some("StartError")),
            (LATER, 1, waiting("CrashLoopBackOff"), &not_run, Some("StartError")),
            // A crash may be mended by the next run, unless many were not.
            (BEGAN, 1, waiting("CrashLoopBackOff"), &crashed, None),
            (BEGAN, 2, waiting("CrashLoopBackOff"), &crashed, Some("CrashLoopBackOff")),
            (BEGAN, 3, waiting("CrashLoopBackOff"), &crashed, Some("CrashLoopBackOff")),
            (LATER, 3, waiting("CrashLoopBackOff"), &crashed, None),
            (BEGAN, 9, waiting("ContainerCreating"), &crashed, None),
        ];
        for (since, restarts, state, last, expect) in cases {
            let told = obstacle(&pod(since, restarts, &state, last));
            assert_eq!(told, expect, "{since} {restarts} {state} {last}");
        }
        let unscheduled = json!({"metadata": {"name": "p"}, "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}});
        assert_eq!(obstacle(&serde_json::from_value(unscheduled).unwrap()), None);
    }
}
