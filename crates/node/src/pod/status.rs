//! A pod's status from its containers' states. Pure (upstream: kubernetes, kubelet `generateAPIPodStatus`).

use std::{collections::BTreeSet, net::Ipv4Addr};

use jiff::Timestamp;
use resources::{
    builtin::{
        ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
        ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
    },
    container_reasons::{CONTAINER_CREATING, POD_INITIALIZING},
    meta::Time,
};

use super::{
    address::NODE_ADDRESS,
    state::{Ended, Failed, Record, State},
    worker::container_id,
};

/// The pod condition that is False where the runtime cannot do what the spec asks.
const SPEC_HONORED: &str = "ebb.internal/SpecHonored";

/// The condition of a pod whose node stops, and its reason (upstream: kubernetes, kubelet `nodeshutdown`).
const DISRUPTION_TARGET: &str = "DisruptionTarget";
const TERMINATION_BY_KUBELET: &str = "TerminationByKubelet";

/// What a status is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View<'a> {
    pub(super) records: &'a [Record],
    pub(super) address: Option<Ipv4Addr>,
    /// Whether its sandbox is there.
    pub(super) has_sandbox: bool,
    /// Fields that the runtime does not honour.
    pub(super) left_out: Option<&'a BTreeSet<&'static str>>,
    /// Why it failed as a whole, if it did.
    pub(super) failed: Option<&'a Failed>,
    /// Why it cannot run on this node, if it cannot.
    pub(super) unplaced: Option<&'a str>,
    /// Whether the node stops, and its containers with it.
    pub(super) node_stops: bool,
}

/// Whether the node was stopping the pod's containers in order when this was told.
pub(super) fn was_stopped(status: &PodStatus) -> bool {
    status.conditions.iter().flatten().any(is_stop)
}

fn is_stop(condition: &PodCondition) -> bool {
    condition.type_ == DISRUPTION_TARGET && condition.reason.as_deref() == Some(TERMINATION_BY_KUBELET)
}

/// The pod's status now. Times of conditions that did not change are kept.
pub(super) fn status(pod: &Pod, view: &View<'_>, now: Timestamp) -> PodStatus {
    let before = pod.status.clone().unwrap_or_default();
    let mut conditions = before.conditions.clone().unwrap_or_default();
    if !view.node_stops {
        // What there is is of an earlier stop.
        conditions.retain(|condition| !is_stop(condition));
    }
    if let Some(why) = view.unplaced {
        set(&mut conditions, "PodScheduled", false, "Unschedulable", why, now);
        let qos_class = Some(qos_class(pod).to_owned());
        return PodStatus {
            phase: Some("Pending".to_owned()),
            conditions: Some(conditions),
            qos_class,
            ..PodStatus::default()
        };
    }
    let (init, main): (Vec<_>, Vec<_>) = view.records.iter().partition(|record| record.is_init);
    let initialized =
        init.iter().all(|record| matches!(&record.state, State::Ended(ended) if ended.code == 0));
    let ready = main.iter().all(|record| record.running().is_some_and(|running| running.ready));
    let phase = view.failed.map_or_else(|| phase(pod, view.records), |_| "Failed");
    let unready = match phase {
        "Succeeded" => "PodCompleted",
        "Failed" => "PodFailed",
        _ => "ContainersNotReady",
    };
    set(&mut conditions, "PodScheduled", true, "", "", now);
    let has_sandbox = view.has_sandbox && !matches!(phase, "Succeeded" | "Failed");
    set(&mut conditions, "PodReadyToStartContainers", has_sandbox, "", "", now);
    set(&mut conditions, "Initialized", initialized, "ContainersNotInitialized", "", now);
    let waiting = waiting_names(&main);
    set(&mut conditions, "ContainersReady", ready, unready, &waiting, now);
    set(&mut conditions, "Ready", ready, unready, &waiting, now);
    if let Some(left_out) = view.left_out.filter(|left_out| !left_out.is_empty()) {
        let fields: Vec<_> = left_out.iter().copied().collect();
        let message = format!("this node's runtime does not honour {}", fields.join(", "));
        set(&mut conditions, SPEC_HONORED, false, "NotHonoured", &message, now);
    }
    if view.node_stops && !conditions.iter().any(is_stop) {
        conditions.push(PodCondition {
            type_: DISRUPTION_TARGET.to_owned(),
            status: "True".to_owned(),
            reason: Some(TERMINATION_BY_KUBELET.to_owned()),
            message: Some("The node stops, and runs the pod again when it starts".to_owned()),
            last_transition_time: Some(Time(now)),
            ..PodCondition::default()
        });
    }
    let ip = view.address.map(|address| address.to_string());
    PodStatus {
        phase: Some(phase.to_owned()),
        reason: view.failed.map(|failed| failed.reason.to_owned()).or(before.reason.clone()),
        message: view.failed.map(|failed| failed.message.clone()).or(before.message.clone()),
        conditions: Some(conditions),
        host_ip: Some(NODE_ADDRESS.to_owned()),
        host_ips: Some(vec![HostIP { ip: NODE_ADDRESS.to_owned() }]),
        pod_ips: ip.clone().map(|ip| vec![PodIP { ip }]),
        pod_ip: ip,
        start_time: before.start_time.clone().or(Some(Time(now))),
        init_container_statuses: (!init.is_empty())
            .then(|| init.iter().map(|record| container(pod, record, true)).collect()),
        container_statuses: Some(main.iter().map(|record| container(pod, record, initialized)).collect()),
        qos_class: before.qos_class.clone().or_else(|| Some(qos_class(pod).to_owned())),
        ..before
    }
}

/// The pod's phase from its containers' states and its restart policy (upstream: kubernetes, kubelet `getPhase`).
pub(super) fn phase(pod: &Pod, records: &[Record]) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let failed_for_good = |ended: &Ended| ended.code != 0 && policy == "Never";
    let (init, main): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.is_init);
    if init.iter().any(|record| matches!(&record.state, State::Ended(ended) if failed_for_good(ended))) {
        return "Failed";
    }
    if init.iter().any(|record| !matches!(&record.state, State::Ended(ended) if ended.code == 0)) {
        return "Pending";
    }
    // One that never ran holds the pod back, whatever the others do; one that waits for its next run does not.
    let never_ran = |record: &&Record| matches!(record.state, State::Waiting { .. }) && record.last.is_none();
    if main.is_empty() || main.iter().any(never_ran) {
        return "Pending";
    }
    let codes: Option<Vec<_>> = main
        .iter()
        .map(|record| match &record.state {
            State::Ended(ended) => Some(ended.code),
            State::Waiting { .. } | State::Running(_) => None,
        })
        .collect();
    match codes {
        Some(codes) if policy != "Always" && codes.iter().all(|code| *code == 0) => "Succeeded",
        Some(_) if policy == "Never" => "Failed",
        _ => "Running",
    }
}

/// A container's status; `initialized` says that its turn has come.
fn container(pod: &Pod, record: &Record, initialized: bool) -> ContainerStatus {
    ContainerStatus {
        name: record.spec.name.clone(),
        image: record.spec.image.clone().unwrap_or_default(),
        image_id: record.image_id.clone(),
        container_id: record.running().map(|running| {
            // What the node itself is has a name like any other.
            let own = || container_id(pod, &record.spec.name, record.restarts);
            format!("ebb://{}", running.id.clone().unwrap_or_else(own))
        }),
        ready: match &record.state {
            State::Running(running) => running.ready,
            State::Ended(ended) => record.is_init && ended.code == 0,
            State::Waiting { .. } => false,
        },
        started: Some(record.running().is_some_and(|running| running.started)),
        restart_count: i32::try_from(record.restarts).unwrap_or(i32::MAX),
        state: Some(state(&record.state, initialized)),
        last_state: record
            .last
            .as_ref()
            .map(|ended| ContainerState { terminated: Some(terminated(ended)), ..ContainerState::default() }),
        ..ContainerStatus::default()
    }
}

fn state(state: &State, initialized: bool) -> ContainerState {
    let mut told = ContainerState::default();
    match state {
        State::Waiting { reason, message, is_starting } => {
            let (reason, message) = match (*reason, message.as_str()) {
                // Whether it fails again shows when it has.
                _ if *is_starting => (CONTAINER_CREATING, ""),
                // It is not its turn: what keeps those before it is told of them.
                _ if !initialized => (POD_INITIALIZING, ""),
                said => said,
            };
            let message = Some(message.to_owned()).filter(|message| !message.is_empty());
            told.waiting = Some(ContainerStateWaiting { reason: Some(reason.to_owned()), message });
        }
        State::Running(running) => {
            told.running = Some(ContainerStateRunning { started_at: Some(Time(running.started_at)) });
        }
        State::Ended(ended) => told.terminated = Some(terminated(ended)),
    }
    told
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    ContainerStateTerminated {
        exit_code: ended.code,
        signal: ended.signal,
        reason: Some(ended.reason.clone()),
        message: Some(ended.message.clone()).filter(|message| !message.is_empty()),
        started_at: Some(Time(ended.started_at)),
        finished_at: Some(Time(ended.finished_at)),
        container_id: None,
    }
}

fn waiting_names(main: &[&Record]) -> String {
    let waits = |record: &&&Record| !record.running().is_some_and(|running| running.ready);
    let names: Vec<_> = main.iter().filter(waits).map(|record| record.spec.name.as_str()).collect();
    if names.is_empty() {
        String::new()
    } else {
        let failing = main.iter().filter_map(|record| record.running()?.failing.as_deref());
        let failing: String = failing.map(|why| format!(": {why}")).collect();
        format!("containers with unready status: [{}]{failing}", names.join(" "))
    }
}

/// Sets a condition; reason and message are those of a failure.
fn set(
    conditions: &mut Vec<PodCondition>,
    name: &str,
    holds: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    let some = |text: &str| (!holds && !text.is_empty()).then(|| text.to_owned());
    let status = if holds { "True" } else { "False" };
    let position = conditions.iter().position(|condition| condition.type_ == name);
    let last = position.map(|at| &conditions[at]).filter(|last| last.status == status);
    let next = PodCondition {
        type_: name.to_owned(),
        status: status.to_owned(),
        reason: some(reason),
        message: some(message),
        last_transition_time: last.and_then(|last| last.last_transition_time.clone()).or(Some(Time(now))),
        ..PodCondition::default()
    };
    match position {
        Some(at) => conditions[at] = next,
        None => conditions.push(next),
    }
}

/// Guaranteed: every limit is set and is the request; BestEffort: nothing is set; else Burstable.
fn qos_class(pod: &Pod) -> &'static str {
    let containers = pod.spec.iter().flat_map(|spec| spec.containers.iter());
    let mut any = false;
    let mut guaranteed = true;
    for container in containers {
        let resources = container.resources.clone().unwrap_or_default();
        let (limits, requests) =
            (resources.limits.unwrap_or_default(), resources.requests.unwrap_or_default());
        any |= !limits.is_empty() || !requests.is_empty();
        for name in ["cpu", "memory"] {
            let limit = limits.get(name);
            guaranteed &= limit.is_some() && requests.get(name).is_none_or(|request| Some(request) == limit);
        }
    }
    match (any, guaranteed) {
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
        (false, _) => "BestEffort",
    }
}

#[cfg(test)]
mod tests;
