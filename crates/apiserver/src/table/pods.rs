//! Cells of pods (upstream: `pkg/printers/internalversion`, `printPod`).

use jiff::Timestamp;
use serde_json::Value;

use super::{age, conditions, items, number, text};

/// `1/2`: containers that are ready, of those there are.
pub(super) fn ready(pod: &Value, _: Timestamp) -> Value {
    let ready =
        items(pod, "/status/containerStatuses").iter().filter(|status| status["ready"] == true).count();
    let sidecars =
        items(pod, "/spec/initContainers").iter().filter(|container| is_sidecar(container)).count();
    let sidecars_ready = sidecar_statuses(pod).filter(|status| status["ready"] == true).count();
    let all = items(pod, "/spec/containers").len();
    format!("{}/{}", ready + sidecars_ready, all + sidecars).into()
}

/// `3 (5m ago)`: how often containers were started again, and when last.
pub(super) fn restarts(pod: &Value, now: Timestamp) -> Value {
    let statuses = || items(pod, "/status/containerStatuses").iter().chain(sidecar_statuses(pod));
    let count: i64 = statuses().map(|status| number(status, "/restartCount")).sum();
    let last = statuses().filter_map(|status| status.pointer("/lastState/terminated/finishedAt"));
    // RFC 3339 in UTC sorts by time.
    match last.max_by_key(|time| time.as_str().unwrap_or_default().to_owned()) {
        Some(time) if count > 0 => format!("{count} ({} ago)", age::since(Some(time), now)).into(),
        _ => count.to_string().into(),
    }
}

/// One word for what the pod is doing.
pub(super) fn status(pod: &Value, _: Timestamp) -> Value {
    let mut word = text(pod, "/status/phase").to_owned();
    let reason = text(pod, "/status/reason");
    if !reason.is_empty() {
        word = reason.to_owned();
    }
    if conditions(pod).any(|found| found["type"] == "PodScheduled" && found["reason"] == "SchedulingGated") {
        word = "SchedulingGated".into();
    }
    match initializing(pod) {
        Some(init) => word = init,
        None => {
            if let Some(running) = from_containers(pod) {
                word = running;
            }
        }
    }
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        word = if reason == "NodeLost" { "Unknown".into() } else { "Terminating".into() };
    }
    word.into()
}

fn initializing(pod: &Value) -> Option<String> {
    let containers = items(pod, "/spec/initContainers");
    for (at, status) in items(pod, "/status/initContainerStatuses").iter().enumerate() {
        let sidecar =
            containers.iter().any(|container| container["name"] == status["name"] && is_sidecar(container));
        let terminated = status.pointer("/state/terminated");
        if terminated.is_some_and(|state| number(state, "/exitCode") == 0)
            || (sidecar && status["started"] == true)
        {
            continue;
        }
        let waiting = text(status, "/state/waiting/reason");
        return Some(match terminated {
            Some(state) => format!("Init:{}", terminated_word(state)),
            None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
            None => format!("Init:{at}/{}", containers.len()),
        });
    }
    None
}

fn from_containers(pod: &Value) -> Option<String> {
    let mut word = None;
    let mut running = false;
    for status in items(pod, "/status/containerStatuses").iter().rev() {
        let waiting = text(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            word = Some(waiting.to_owned());
        } else if let Some(state) = status.pointer("/state/terminated") {
            word = Some(terminated_word(state));
        } else if status["ready"] == true && status.pointer("/state/running").is_some() {
            running = true;
        }
    }
    if word.as_deref() == Some("Completed") && running {
        let ready = conditions(pod).any(|found| found["type"] == "Ready" && found["status"] == "True");
        return Some(if ready { "Running" } else { "NotReady" }.to_owned());
    }
    word
}

fn terminated_word(state: &Value) -> String {
    let reason = text(state, "/reason");
    match (reason, number(state, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(state, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn sidecar_statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    let sidecars = items(pod, "/spec/initContainers").iter().filter(|container| is_sidecar(container));
    sidecars.filter_map(|container| {
        items(pod, "/status/initContainerStatuses").iter().find(|status| status["name"] == container["name"])
    })
}

pub(super) fn ip(pod: &Value, _: Timestamp) -> Value {
    or_none(text(pod, "/status/podIP"))
}

pub(super) fn node(pod: &Value, _: Timestamp) -> Value {
    or_none(text(pod, "/spec/nodeName"))
}

pub(super) fn nominated_node(pod: &Value, _: Timestamp) -> Value {
    or_none(text(pod, "/status/nominatedNodeName"))
}

pub(super) fn readiness_gates(pod: &Value, _: Timestamp) -> Value {
    let gates = items(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return or_none("");
    }
    let is_true = |gate: &&Value| {
        conditions(pod).any(|found| found["type"] == gate["conditionType"] && found["status"] == "True")
    };
    format!("{}/{}", gates.iter().filter(is_true).count(), gates.len()).into()
}

fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}
