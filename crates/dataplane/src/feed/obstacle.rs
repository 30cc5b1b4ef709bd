//! Whether a pod cannot start, so that waiting for it helps nobody. Pure.
//!
//! A request at zero waits for its instance, however long that takes: an image that is pulled, a slow app, a crash that a
//! restart mends. It is not to wait for what goes on until somebody mends something, and that the pod's containers say
//! by the reasons for which they wait (upstream: kubernetes, kubelet).

use resources::builtin::{ContainerStatus, Pod, PodStatus};

/// Reasons that stay until somebody mends something outside the pod: each try fails in the same way.
const LASTING: &[&str] = &[
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
    "RunContainerError",
];

/// A program that could not be run, as the end of a container.
const START_ERROR: &str = "StartError";

/// After so many restarts a container that has never been ready is taken for one that never will be. The first come
/// within seconds, and what an app waits for may be there by then.
const RESTARTS_MIN: i32 = 3;

/// The longest reason that callers are told, in characters.
const WHY_MAX: usize = 300;

/// Why a pod cannot start, in one line; `None` as long as it may.
pub(super) fn obstacle(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    let mut containers = init.chain(status.container_statuses.iter().flatten());
    let why = containers.find_map(|container| of_container(container, status))?;
    Some(one_line(&why))
}

fn of_container(container: &ContainerStatus, pod: &PodStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let said = |reason: &str, message: &Option<String>| match message.as_deref().unwrap_or_default() {
        "" => reason.to_owned(),
        message => format!("{reason}: {message}"),
    };
    let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    match last {
        // The first time it is tried again at once.
        Some(last) if last.reason.as_deref() == Some(START_ERROR) && is_restart(reason) => {
            (container.restart_count > 0).then(|| said(START_ERROR, &last.message))
        }
        // What it printed is for its owner alone.
        Some(last) if reason == "CrashLoopBackOff" => {
            let never_works = container.restart_count >= RESTARTS_MIN && !was_ready(pod);
            never_works.then(|| {
                format!(
                    "{reason}: container {:?} has ended with exit code {} after {} restarts",
                    container.name, last.exit_code, container.restart_count
                )
            })
        }
        _ => LASTING.contains(&reason).then(|| said(reason, &waiting.message)),
    }
}

/// Whether a container with this reason waits for another try of what it did last.
fn is_restart(reason: &str) -> bool {
    matches!(reason, "CrashLoopBackOff" | "RunContainerError")
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

/// The text in one line, and no longer than callers are told.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((end, _)) = line.char_indices().nth(WHY_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
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
        let crash_loop = Some(
            "CrashLoopBackOff: container \"user-container\" has ended with exit code 3 after 3 restarts",
        );
        // (since when it is not ready, restarts, state, last state, what callers are told)
        let cases = [
            (BEGAN, 0, waiting("ContainerCreating"), &none, None),
            (BEGAN, 0, waiting("PodInitializing"), &none, None),
            (BEGAN, 0, waiting("FailedCreatePodSandBox"), &none, None),
            (BEGAN, 0, waiting("ContainerCannotRun"), &none, None),
            (BEGAN, 0, running.clone(), &none, None),
            (BEGAN, 9, running, &crashed, None),
            (BEGAN, 0, ended, &none, None),
            (BEGAN, 0, waiting("ErrImagePull"), &none, Some("ErrImagePull: why")),
            (BEGAN, 0, waiting("ImagePullBackOff"), &none, Some("ImagePullBackOff: why")),
            (BEGAN, 0, waiting("ErrImageNeverPull"), &none, Some("ErrImageNeverPull: why")),
            (BEGAN, 0, waiting("InvalidImageName"), &none, Some("InvalidImageName: why")),
            (BEGAN, 0, waiting("CreateContainerConfigError"), &none, Some("CreateContainerConfigError: why")),
            (BEGAN, 0, waiting("CreateContainerError"), &none, Some("CreateContainerError: why")),
            (BEGAN, 0, waiting("RunContainerError"), &none, Some("RunContainerError: why")),
            (BEGAN, 0, json!({"waiting": {"reason": "ErrImagePull"}}), &none, Some("ErrImagePull")),
            // It worked, and its image is gone since.
            (LATER, 4, waiting("ErrImagePull"), &crashed, Some("ErrImagePull: why")),
            // A program that cannot be run is tried twice.
            (BEGAN, 0, waiting("RunContainerError"), &not_run, None),
            (BEGAN, 1, waiting("RunContainerError"), &not_run, Some("StartError: no program")),
            (BEGAN, 1, waiting("CrashLoopBackOff"), &not_run, Some("StartError: no program")),
            (LATER, 1, waiting("CrashLoopBackOff"), &not_run, Some("StartError: no program")),
            // A crash may be mended by the next run, unless many were not.
            (BEGAN, 1, waiting("CrashLoopBackOff"), &crashed, None),
            (BEGAN, 2, waiting("CrashLoopBackOff"), &crashed, None),
            (BEGAN, 3, waiting("CrashLoopBackOff"), &crashed, crash_loop),
            (LATER, 3, waiting("CrashLoopBackOff"), &crashed, None),
            (BEGAN, 9, waiting("ContainerCreating"), &crashed, None),
        ];
        for (since, restarts, state, last, expect) in cases {
            let told = obstacle(&pod(since, restarts, &state, last));
            assert_eq!(told.as_deref(), expect, "{since} {restarts} {state} {last}");
        }
        let unscheduled = json!({"metadata": {"name": "p"}, "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}});
        assert_eq!(obstacle(&serde_json::from_value(unscheduled).unwrap()), None);
    }

    #[test]
    fn what_callers_are_told_is_one_short_line() {
        let state = json!({"waiting": {"reason": "ErrImagePull", "message": "a\nb".repeat(WHY_MAX)}});
        let told = obstacle(&pod(BEGAN, 0, &state, &json!({}))).unwrap();
        assert!(told.starts_with("ErrImagePull: a ba b"), "{told}");
        assert_eq!((told.chars().count(), told.ends_with('…')), (WHY_MAX + 1, true));
    }
}
