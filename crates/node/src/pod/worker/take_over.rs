//! What a worker takes over from the status that an earlier run of the node wrote. Pure.

use jiff::Timestamp;
use resources::builtin::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodStatus};

use super::transitions::restarts;
use crate::pod::{
    backoff::Backoff,
    state::{Ended, Record, State},
};

/// The pod's containers. None of them runs any more; those that were not done run again.
pub(super) fn records(pod: &Pod, now: Timestamp) -> Vec<Record> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let status = pod.status.as_ref();
    let of = |containers: Option<&Vec<Container>>, statuses: Option<&Vec<ContainerStatus>>, is_init: bool| {
        let record = |container: &Container| {
            let mut statuses = statuses.into_iter().flatten();
            let record = Record::new(container.clone(), is_init);
            match statuses.find(|status| status.name == container.name) {
                Some(before) => take_over(pod, record, before, now),
                None => record,
            }
        };
        containers.into_iter().flatten().map(record).collect::<Vec<_>>()
    };
    let mut records = of(
        spec.init_containers.as_ref(),
        status.and_then(|status| status.init_container_statuses.as_ref()),
        true,
    );
    records.extend(of(
        Some(&spec.containers),
        status.and_then(|status| status.container_statuses.as_ref()),
        false,
    ));
    records
}

/// Whether the API says that the pod takes requests.
pub(super) fn is_told_ready(status: Option<&PodStatus>) -> bool {
    let mut conditions = status.into_iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn take_over(pod: &Pod, mut record: Record, before: &ContainerStatus, now: Timestamp) -> Record {
    let state = before.state.clone().unwrap_or_default();
    let last = before.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    record.restarts = u32::try_from(before.restart_count).unwrap_or(0);
    record.last = last.map(|last| ended(last, now));
    record.image_id.clone_from(&before.image_id);
    if let Some(was) = &state.running {
        record.restarts += 1;
        record.last = Some(Ended {
            code: 137,
            signal: Some(9),
            reason: "Error".to_owned(),
            message: "The node was restarted, and its containers with it.".to_owned(),
            started_at: was.started_at.as_ref().map_or(now, |time| time.0),
            finished_at: now,
        });
    } else if let Some(was) = &state.terminated {
        let ended = ended(was, now);
        // What init containers prepared is gone with the pod's sandbox, so they run again.
        if record.is_init || restarts(pod, record.is_init, &ended) {
            record.restarts += 1;
            record.last = Some(ended);
        } else {
            record.state = State::Ended(ended);
        }
    } else if state.waiting.and_then(|waiting| waiting.reason).as_deref() == Some("CrashLoopBackOff") {
        record.backoff = Backoff::resumed(record.restarts);
    }
    record
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

#[cfg(test)]
mod tests;
