//! What a worker takes over from an earlier run of the node: from the status that it wrote, and from the containers that
//! its keeper has kept. Pure.

use std::{collections::BTreeMap, net::IpAddr, net::Ipv4Addr, time::Duration};

use jiff::Timestamp;
use resources::{
    builtin::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodStatus},
    container_reasons::{
        CONTAINER_CREATING, CONTAINER_STATUS_UNKNOWN, CRASH_LOOP_BACK_OFF, POD_INITIALIZING,
    },
};
use tokio::time::Instant;

use super::{start, start_again::restarts};
use crate::{
    pod::{
        backoff::Backoff,
        built_in, spec,
        state::{Ended, Record, Running, State},
        status::was_stopped,
    },
    probe::{Kind, Probe},
    runtime::{ContainerId, TakenOver, TakenOverContainer},
};

/// What the keeper has kept of a pod, enough to go on with it.
pub(super) struct Kept {
    pub(super) address: Ipv4Addr,
    /// The latest run of each container that is there, by the container's name.
    pub(super) runs: BTreeMap<String, KeptRun>,
    /// Runs before those, which have ended and were not removed.
    pub(super) earlier: Vec<ContainerId>,
}

/// A run that goes on, or that ended while nobody looked, which its exit tells.
pub(super) struct KeptRun {
    pub(super) run: u32,
    pub(super) container: TakenOverContainer,
}

impl Kept {
    /// `None` where there is nothing to go on with: no address, or no container of the pod. What init containers did
    /// is in the sandbox, so without any container it cannot be known to be done.
    pub(super) fn of(pod: &Pod, taken: TakenOver) -> Option<Self> {
        let address = taken.addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })?;
        let mut kept = Self { address, runs: BTreeMap::new(), earlier: Vec::new() };
        for container in taken.containers {
            let found = containers(pod).find_map(|(spec, _)| {
                Some((spec.name.clone(), start::run_of(&container.id, pod, &spec.name)?))
            });
            let Some((name, run)) = found else {
                kept.earlier.push(container.id);
                continue;
            };
            let next = KeptRun { run, container };
            match kept.runs.remove(&name) {
                Some(other) if other.run > run => {
                    kept.earlier.push(next.container.id);
                    kept.runs.insert(name, other);
                }
                other => {
                    kept.earlier.extend(other.map(|other| other.container.id));
                    kept.runs.insert(name, next);
                }
            }
        }
        (!kept.runs.is_empty()).then_some(kept)
    }

    /// Whether what init containers do is done.
    fn is_initialized(&self, pod: &Pod) -> bool {
        containers(pod).any(|(container, is_init)| !is_init && self.runs.contains_key(&container.name))
    }
}

/// The pod's containers, and whether each is an init container.
fn containers(pod: &Pod) -> impl Iterator<Item = (&Container, bool)> {
    let spec = pod.spec.as_ref();
    let init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let main = spec.into_iter().flat_map(|spec| &spec.containers);
    init.map(|container| (container, true)).chain(main.map(|container| (container, false)))
}

/// The times at which this is done.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) time: Timestamp,
    pub(super) instant: Instant,
}

/// The pod's containers. Those that were kept go on; of the others none runs any more, and those that were not done run
/// again.
pub(super) fn records(pod: &Pod, kept: Option<&Kept>, now: Now) -> Vec<Record> {
    let status = pod.status.as_ref();
    let statuses = |is_init| {
        let statuses = status.and_then(|status| match is_init {
            true => status.init_container_statuses.as_ref(),
            false => status.container_statuses.as_ref(),
        });
        statuses.into_iter().flatten()
    };
    let record = |(container, is_init): (&Container, bool)| {
        let before = statuses(is_init).find(|status| status.name == container.name);
        let record = Record::new(container.clone(), is_init);
        match (kept, before) {
            (Some(kept), before) => go_on(pod, kept, record, before, now),
            (None, Some(before)) => run_again(pod, record, before, now),
            (None, None) => record,
        }
    };
    containers(pod).map(record).collect()
}

/// Whether the API says of a pod that begins anew what held of it before: that it takes requests, or why a start of its
/// containers had failed.
pub(super) fn is_outdated(status: Option<&PodStatus>) -> bool {
    let Some(status) = status else { return false };
    let is_ready = |condition: &PodCondition| condition.type_ == "Ready" && condition.status == "True";
    let has_failed = |container: &ContainerStatus| {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
        reason.is_some_and(|reason| !matches!(reason, CONTAINER_CREATING | POD_INITIALIZING))
    };
    let init = status.init_container_statuses.iter().flatten();
    let mut containers = init.chain(status.container_statuses.iter().flatten());
    status.conditions.iter().flatten().any(is_ready) || containers.any(has_failed)
}

/// Whether the pod had its place before the node was restarted, so that it is not news.
pub(super) fn was_placed(status: Option<&PodStatus>) -> bool {
    let is_placed =
        |condition: &PodCondition| condition.type_ == "PodScheduled" && condition.status == "True";
    status.is_some_and(|status| status.conditions.iter().flatten().any(is_placed))
}

/// A container of a pod of which something was kept.
fn go_on(pod: &Pod, kept: &Kept, mut record: Record, before: Option<&ContainerStatus>, now: Now) -> Record {
    let name = &record.spec.name;
    if let Some(KeptRun { run, container }) = kept.runs.get(name) {
        // What was told last may be of the run before: a status may be lost with the node.
        let told = before.filter(|before| restart_count(before) == *run);
        let last = before.and_then(|before| {
            let state = before.state.as_ref()?;
            // One that waits has told how its last run ended.
            let last =
                if told.is_some() || state.waiting.is_some() { before.last_state.as_ref()? } else { state };
            last.terminated.as_ref()
        });
        record.last = last.map(|last| ended(last, now.time));
        record.restarts = *run;
        record.backoff = Backoff::resumed(*run);
        record.image_id = told.map_or_else(String::new, |told| told.image_id.clone());
        let started_at = Timestamp::try_from(container.started.started_at).unwrap_or(now.time);
        let id = Some(container.id.clone());
        record.state = State::Running(running(id, spec::probes(&record.spec), told, started_at, now));
        return record;
    }
    let runs = before.filter(|before| before.state.as_ref().is_some_and(|state| state.running.is_some()));
    if let (true, Some(told)) = (built_in::is_built_in(&record.spec), runs)
        && let Ok(readiness) = built_in::readiness(&record.spec)
    {
        // The node is this container, and here it is again.
        record.restarts = restart_count(told);
        record.image_id.clone_from(&told.image_id);
        record.state = State::Running(running(None, vec![readiness], Some(told), now.time, now));
        return record;
    }
    if record.is_init && kept.is_initialized(pod) {
        let told = before.and_then(|before| before.state.as_ref()?.terminated.as_ref());
        record.restarts = before.map_or(0, restart_count);
        record.state = State::Ended(told.map_or_else(|| completed(now.time), |told| ended(told, now.time)));
        return record;
    }
    match before {
        Some(before) => run_again(pod, record, before, now),
        None => record,
    }
}

/// A run that goes on, by what was told of it.
fn running(
    id: Option<ContainerId>,
    mut probes: Vec<Probe>,
    told: Option<&ContainerStatus>,
    started_at: Timestamp,
    now: Now,
) -> Running {
    let has = |probes: &[Probe], kind| probes.iter().any(|probe| probe.kind == kind);
    let started = !has(&probes, Kind::Startup) || told.is_some_and(|told| told.started == Some(true));
    let ready = started && (!has(&probes, Kind::Readiness) || told.is_some_and(|told| told.ready));
    for probe in &mut probes {
        let has_passed = match probe.kind {
            Kind::Startup | Kind::Liveness => started,
            Kind::Readiness => ready,
        };
        if has_passed {
            probe.resume();
        }
    }
    let state = told.and_then(|told| told.state.as_ref()?.running.as_ref());
    let started_at = state.and_then(|state| state.started_at.as_ref()).map_or(started_at, |time| time.0);
    let ran = Duration::try_from(now.time.duration_since(started_at)).unwrap_or_default();
    let since = now.instant.checked_sub(ran).unwrap_or(now.instant);
    Running { id, started_at, since, started, ready, probes, killed_for: None, failing: None }
}

/// A container of which nothing runs any more. After what ran comes another run; what never did, and what the node itself
/// is, begins as it would have.
fn run_again(pod: &Pod, mut record: Record, before: &ContainerStatus, now: Now) -> Record {
    if built_in::is_built_in(&record.spec) {
        return record;
    }
    let state = before.state.clone().unwrap_or_default();
    let last = before.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    record.restarts = restart_count(before);
    record.last = last.map(|last| ended(last, now.time));
    record.image_id.clone_from(&before.image_id);
    if let Some(was) = &state.running {
        record.is_spent = true;
        let message = match pod.status.as_ref().is_some_and(was_stopped) {
            true => "It was stopped with the node",
            false => "It ended while the node was restarted",
        };
        record.last = Some(Ended {
            // Nobody has noted how it ended, and it was none of its own doing.
            code: 137,
            signal: None,
            reason: CONTAINER_STATUS_UNKNOWN.to_owned(),
            message: message.to_owned(),
            started_at: was.started_at.as_ref().map_or(now.time, |time| time.0),
            finished_at: now.time,
        });
    } else if let Some(was) = &state.terminated {
        let ended = ended(was, now.time);
        // What init containers prepared is gone with the pod's sandbox, so they run again.
        if record.is_init || restarts(pod, record.is_init, &ended) {
            record.is_spent = true;
            record.last = Some(ended);
        } else {
            record.state = State::Ended(ended);
        }
    } else {
        record.is_spent = record.last.is_some();
        if state.waiting.and_then(|waiting| waiting.reason).as_deref() == Some(CRASH_LOOP_BACK_OFF) {
            record.backoff = Backoff::resumed(record.next_run());
        }
    }
    record
}

fn restart_count(status: &ContainerStatus) -> u32 {
    u32::try_from(status.restart_count).unwrap_or(0)
}

fn ended(told: &ContainerStateTerminated, now: Timestamp) -> Ended {
    Ended {
        code: told.exit_code,
        signal: told.signal,
        reason: told.reason.clone().unwrap_or_default(),
        message: told.message.clone().unwrap_or_default(),
        started_at: told.started_at.as_ref().map_or(now, |time| time.0),
        finished_at: told.finished_at.as_ref().map_or(now, |time| time.0),
    }
}

/// The end of an init container whose status was lost; others ran after it.
fn completed(now: Timestamp) -> Ended {
    let (reason, message) = ("Completed".to_owned(), String::new());
    Ended { code: 0, signal: None, reason, message, started_at: now, finished_at: now }
}

#[cfg(test)]
mod tests;
