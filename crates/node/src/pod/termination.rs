//! How a run of a container ended, with the message it left.

use jiff::Timestamp;
use resources::{
    builtin::Container,
    container_reasons::{OOM_KILLED, START_ERROR},
};

use super::{
    kubelet::Shared,
    state::{Ended, Running},
};
use crate::{
    logs::LogId,
    runtime::{ContainerId, Exit},
};

/// The exit code of a container whose program could not be run (upstream: containerd).
const START_ERROR_CODE: i32 = 128;

/// The most of a termination message that is kept (upstream: kubernetes, kubelet).
const MESSAGE_BYTES_MAX: usize = 4096;
/// Likewise when it is taken from the log.
const LOG_BYTES_MAX: usize = 2048;
const LOG_LINES_MAX: usize = 80;

/// The end of a run that exited.
pub(super) fn ended(
    container: &Container,
    running: &Running,
    exit: Exit,
    message: String,
    now: Timestamp,
) -> Ended {
    let reason = match exit {
        Exit { oom_killed: true, .. } => OOM_KILLED,
        Exit { code: 0, .. } => "Completed",
        _ => "Error",
    };
    let message = match &running.killed_for {
        Some(why) if message.is_empty() => format!("Container {} was ended: {why}", container.name),
        _ => message,
    };
    Ended {
        code: exit.code,
        signal: exit.signal,
        reason: reason.to_owned(),
        message,
        started_at: running.started_at,
        finished_at: now,
    }
}

/// The end of a run whose program could not be run; it never began (upstream: containerd).
pub(super) fn not_run(why: String, now: Timestamp) -> Ended {
    Ended {
        code: START_ERROR_CODE,
        signal: None,
        reason: START_ERROR.to_owned(),
        message: why,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: now,
    }
}

/// What the container wrote into its message file or, where its policy says so, the end of its log.
pub(super) async fn message(
    shared: &Shared,
    container: &Container,
    id: &ContainerId,
    log: LogId,
    exit: Exit,
) -> String {
    // What has been lost with its container has left none.
    let text = shared.runtime.message(id, MESSAGE_BYTES_MAX).unwrap_or_default();
    if !text.is_empty() {
        return String::from_utf8_lossy(&text).into_owned();
    }
    let falls_back = container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
    if !falls_back || exit.code == 0 {
        return String::new();
    }
    let logs = shared.logs.clone();
    let tail = move || logs.tail(&log, LOG_LINES_MAX, LOG_BYTES_MAX);
    tokio::task::spawn_blocking(tail).await.unwrap_or_default()
}
