//! What a pod's status says, in the words controllers ask in.

use jiff::{SignedDuration, Timestamp};
use resources::builtin::{Pod, PodCondition};

/// A condition of a pod.
pub(super) fn condition<'a>(pod: &'a Pod, name: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == name)
}

/// A number of pods as a status has it: none is left out, as a kube-apiserver leaves it out, or 0 would look like progress
/// each time.
pub(super) fn count(pods: i32) -> Option<i32> {
    (pods != 0).then_some(pods)
}

/// Whether the pod takes requests.
pub(super) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Whether the pod has been ready for so many seconds.
pub(super) fn is_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> bool {
    let since =
        condition(pod, "Ready").and_then(|ready| ready.last_transition_time.as_ref()).map(|time| time.0);
    let wait = SignedDuration::from_secs(min_ready_seconds.into());
    is_ready(pod) && (min_ready_seconds == 0 || since.is_some_and(|since| now.duration_since(since) >= wait))
}

/// Whether the pod has ended or is about to.
pub(super) fn is_over(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() || matches!(phase(pod), "Succeeded" | "Failed")
}

/// The pod's phase; empty before the node has taken it.
pub(super) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}
