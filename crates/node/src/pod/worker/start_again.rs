//! How a container that has ended comes to its next run (upstream: kubernetes, kubelet).

use std::time::Duration;

use resources::{
    Object,
    builtin::Pod,
    container_reasons::{CRASH_LOOP_BACK_OFF, RUN_CONTAINER_ERROR},
};

use super::{Happening, Worker};
use crate::pod::{
    state::{Ended, State},
    termination,
};

impl Worker {
    /// Takes in that a container's program could not be run: that run has ended before it began, and is tried again as
    /// one that crashed is.
    pub(super) fn not_run(&mut self, index: usize, why: String) {
        self.warn(Some(index), "Failed", format!("Error: {why}"));
        let ended = termination::not_run(why.clone(), (self.shared.clock)());
        let record = &mut self.records[index];
        record.begun();
        if !restarts(&self.pod, record.is_init, &ended) {
            record.state = State::Ended(ended);
            self.pending[index] = false;
            return;
        }
        let wait = record.backoff.after(Duration::ZERO);
        record.last = Some(ended);
        record.is_spent = true;
        self.start_again(index, wait, RUN_CONTAINER_ERROR, why);
    }

    /// Starts a container that has ended again after `wait`. `reason` and `message` are what it waits for where that is at
    /// once.
    pub(super) fn start_again(
        &mut self,
        index: usize,
        wait: Duration,
        reason: &'static str,
        message: String,
    ) {
        let record = &mut self.records[index];
        if wait.is_zero() {
            record.state = State::waiting(reason, message);
        } else {
            let name = record.spec.name.clone();
            let (seconds, pod) = (wait.as_secs(), self.pod.key());
            let message = format!("back-off {seconds} s restarting failed container={name} pod={pod}");
            record.state = State::waiting(CRASH_LOOP_BACK_OFF, message);
            let message = format!("Back-off restarting failed container {name} in pod {}", self.pod.name());
            self.warn(Some(index), "BackOff", message);
        }
        self.pending[index] = true;
        self.after(wait, Happening::Due { index });
    }
}

/// Whether a container that ended starts again.
pub(super) fn restarts(pod: &Pod, is_init: bool, ended: &Ended) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    match policy {
        "Never" => false,
        "OnFailure" => ended.code != 0,
        _ => !is_init || ended.code != 0,
    }
}
