//! What the pods of a Revision tell about why it does not come up.

use resources::{
    builtin::{ContainerState, ContainerStatus, Pod, PodCondition},
    container_reasons::{
        CONTAINER_CANNOT_RUN, CONTAINER_CREATING, CONTAINER_STATUS_UNKNOWN, CREATE_CONTAINER_CONFIG_ERROR,
        CREATE_CONTAINER_ERROR, ERR_IMAGE_NEVER_PULL, ERR_IMAGE_PULL, IMAGE_INSPECT_ERROR,
        IMAGE_PULL_BACK_OFF, INVALID_IMAGE_NAME, OOM_KILLED, POD_INITIALIZING, REGISTRY_UNAVAILABLE,
        RUN_CONTAINER_ERROR, START_ERROR, could_not_be_run,
    },
};

use crate::serving::verdict::Verdict;

/// The condition by which a node says that a pod runs, but not all of its spec is honoured: status False, with reason
/// and message.
pub const POD_SPEC_HONORED: &str = "ebb.internal/SpecHonored";

/// Reasons for which a container waits until somebody mends something outside the pod; told at once, since waiting for
/// the progress deadline helps nobody. The node tries on, so a Revision with one recovers by itself.
const MENDABLE: &[&str] = &[
    CONTAINER_CANNOT_RUN,
    CREATE_CONTAINER_CONFIG_ERROR,
    CREATE_CONTAINER_ERROR,
    ERR_IMAGE_NEVER_PULL,
    ERR_IMAGE_PULL,
    IMAGE_INSPECT_ERROR,
    IMAGE_PULL_BACK_OFF,
    INVALID_IMAGE_NAME,
    REGISTRY_UNAVAILABLE,
    RUN_CONTAINER_ERROR,
    START_ERROR,
];

/// What keeps a Revision's pods from running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    /// For ResourcesAvailable: no node, no image, no configuration.
    pub(super) resources: Option<Verdict>,
    /// For ContainerHealthy: a container ended.
    pub(super) containers: Option<Verdict>,
    /// That container runs again, so its end may be long ago.
    pub(super) runs_again: bool,
    /// For SpecHonored: what the node leaves out.
    pub(super) not_honored: Option<Verdict>,
    /// Containers run, but their probes fail: what the node says of that.
    pub(super) unready: Option<String>,
}

/// Whether a pod tells anything that its Deployment's status does not.
pub(super) fn is_telling(pod: &Pod) -> bool {
    trouble(std::slice::from_ref(pod), false, true) != Trouble::default()
}

/// What the pods tell. All of them fail alike as a rule, so the first that tells something counts.
///
/// `always_schedulable`: a pod without a node is no failure, since nodes are made for it.
pub(super) fn trouble<P: std::borrow::Borrow<Pod>>(
    pods: &[P],
    always_schedulable: bool,
    timed_out: bool,
) -> Trouble {
    let pods = || {
        pods.iter().map(std::borrow::Borrow::borrow).filter(|pod| pod.metadata.deletion_timestamp.is_none())
    };
    let ended = pods().flat_map(containers).find_map(|status| Some((status, ended(status)?)));
    let runs = |status: &ContainerStatus| status.state.as_ref().is_some_and(|state| state.running.is_some());
    let unscheduled = (!always_schedulable).then(|| pods().find_map(unscheduled)).flatten();
    Trouble {
        resources: unscheduled
            .or_else(|| pods().flat_map(containers).find_map(|status| waiting(status, timed_out))),
        runs_again: ended.as_ref().is_some_and(|(status, _)| runs(status)),
        containers: ended.map(|(_, verdict)| verdict),
        not_honored: pods().find_map(not_honored),
        unready: pods().find_map(unready),
    }
}

fn conditions(pod: &Pod) -> impl Iterator<Item = &PodCondition> {
    pod.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten())
    })
}

fn verdict(condition: &PodCondition) -> Verdict {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Verdict::no(text(&condition.reason), text(&condition.message))
}

fn unscheduled(pod: &Pod) -> Option<Verdict> {
    conditions(pod)
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .map(verdict)
}

fn not_honored(pod: &Pod) -> Option<Verdict> {
    conditions(pod)
        .find(|condition| condition.type_ == POD_SPEC_HONORED && condition.status == "False")
        .map(verdict)
}

fn unready(pod: &Pod) -> Option<String> {
    let ready = conditions(pod)
        .find(|condition| condition.type_ == "ContainersReady" && condition.status == "False")?;
    ready.message.clone().filter(|message| message.contains("probe failed"))
}

fn waiting(status: &ContainerStatus, timed_out: bool) -> Option<Verdict> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    // It is tried again and again, and all the time that is what it waits for.
    if let Some(last) = could_not_be_run(status) {
        return Some(Verdict::no(START_ERROR, last.message.clone().unwrap_or_default()));
    }
    let reason = waiting.reason.as_deref().unwrap_or_default();
    // A container that ended waits to be started again; how it ended says more.
    let ended = status.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
    let starting = matches!(reason, "" | CONTAINER_CREATING | POD_INITIALIZING);
    let tell = MENDABLE.contains(&reason) || (timed_out && !starting && !ended);
    tell.then(|| Verdict::no(reason, waiting.message.clone().unwrap_or_default()))
}

fn ended(status: &ContainerStatus) -> Option<Verdict> {
    let seen = |state: &Option<ContainerState>| {
        let ended = state.as_ref()?.terminated.clone()?;
        // What ended with its node says nothing of the app, nor does what never ran.
        let says_nothing = matches!(ended.reason.as_deref(), Some(CONTAINER_STATUS_UNKNOWN | START_ERROR));
        (!says_nothing).then_some(ended)
    };
    let ended = seen(&status.last_state).or_else(|| seen(&status.state))?;
    let message = ended.message.as_deref().unwrap_or_default().trim();
    let message = match (ended.exit_code, message) {
        _ if ended.reason.as_deref() == Some(OOM_KILLED) => {
            let said = if message.is_empty() { String::new() } else { format!(": {message}") };
            format!("{OOM_KILLED}, it took more memory than it may{said}")
        }
        (0, "") => "container exited with no error".to_owned(),
        (code, "") => format!("container ended with exit code {code} and no message"),
        (_, message) => message.to_owned(),
    };
    let reason = format!("ExitCode{}", ended.exit_code);
    Some(Verdict::no(reason, format!("Container failed with: {message}")))
}

/// Whether a reason is one that goes away when something outside the Revision is mended.
pub(super) fn is_mendable(reason: &str) -> bool {
    MENDABLE.contains(&reason)
}

#[cfg(test)]
mod tests;
