//! What each happening does to the containers' states, and what follows from it.

use std::{sync::Arc, time::Duration};

use resources::{
    Object,
    builtin::{Container, Pod},
};
use tokio::time::Instant;

use super::{
    Happening, Worker, deadline, end, hook,
    start::{self, Run},
};
use crate::{
    pod::{
        backoff::StartBackoff,
        built_in, image,
        state::{self, Ended, Running, State},
        termination,
    },
    probe::{Kind, Outcome, Verdict},
    runtime::Exit,
};

/// How long a container may fail its probes before its status says so.
const FAILING_DELAY: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn started(&mut self, index: usize, run: Run) {
        self.pending[index] = false;
        self.times.start = self.seen_at.elapsed().saturating_sub(self.times.sandbox);
        let record = &mut self.records[index];
        record.image_id = run.image_id;
        record.start_backoff = StartBackoff::default();
        record.round += 1;
        self.left_out.extend(run.unsupported);
        let has_readiness = run.probes.iter().any(|probe| probe.kind == Kind::Readiness);
        let has_startup = run.probes.iter().any(|probe| probe.kind == Kind::Startup);
        let running = Running {
            id: run.id.clone(),
            started_at: (self.shared.clock)(),
            since: Instant::now(),
            started: !has_startup,
            ready: !has_readiness && !has_startup,
            probes: run.probes,
            killed_for: None,
            failing: None,
        };
        if let Some(id) = run.id {
            let wait = start::wait(&self.shared, &self.pod, &record.spec, id, record.restarts);
            let run = record.restarts;
            self.happenings.push(Box::pin(async move {
                let (exit, message) = wait.await;
                Happening::Exited { index, run, exit, message }
            }));
        }
        record.state = State::Running(running);
        if !built_in::is_built_in(&record.spec) {
            self.ask(index);
        }
        self.renew_built_in();
    }

    /// Begins to ask a container's probes.
    fn ask(&mut self, index: usize) {
        let record = &self.records[index];
        let Some(running) = record.running() else { return };
        for (probe, asked) in running.probes.iter().enumerate() {
            // Startup holds the others back.
            if running.started || asked.kind == Kind::Startup {
                let ask =
                    start::probe(&self.shared, &self.sandbox, running, index, record.round, probe, true);
                self.happenings.push(ask);
            }
        }
    }

    /// After a container started or ended: what the built-in ones saw of the app before does not count any more.
    fn renew_built_in(&mut self) {
        for index in state::renew_built_in(&mut self.records, Instant::now()) {
            self.ask(index);
        }
    }

    pub(super) fn not_started(&mut self, index: usize, failure: image::Failure) {
        let record = &mut self.records[index];
        let wait = start::failed(&self.shared, &self.pod, record, &failure);
        self.happenings.push(Box::pin(async move {
            wait.await;
            Happening::Due { index }
        }));
    }

    pub(super) fn exited(&mut self, index: usize, run: u32, exit: Exit, message: String) {
        let record = &mut self.records[index];
        let Some(running) = record.running().filter(|_| record.restarts == run) else { return };
        let ran = running.since.elapsed();
        let ended = termination::ended(&record.spec, running, exit, message, (self.shared.clock)());
        if !restarts(&self.pod, record.is_init, &ended) {
            record.state = State::Ended(ended);
            return self.renew_built_in();
        }
        let wait = record.backoff.after(ran);
        let name = record.spec.name.clone();
        record.last = Some(ended.clone());
        record.restarts += 1;
        record.state = if wait.is_zero() {
            State::Waiting { reason: "ContainerCreating", message: String::new() }
        } else {
            let message = format!(
                "back-off {} s restarting failed container={name} pod={}",
                wait.as_secs(),
                self.pod.key()
            );
            State::Waiting { reason: "CrashLoopBackOff", message }
        };
        self.pending[index] = true;
        self.after(wait, Happening::Due { index });
        self.renew_built_in();
    }

    /// Takes a probe's outcome in and asks again; returns whether the pod's status changed.
    pub(super) fn probed(&mut self, index: usize, round: u32, at: usize, outcome: Outcome) -> bool {
        let record = &mut self.records[index];
        if record.round != round {
            return false;
        }
        let name = record.spec.name.clone();
        let Some(running) = record.running_mut() else { return false };
        let verdict = running.probes[at].note(outcome.is_ok());
        let kind = running.probes[at].kind;
        let mut again = vec![at];
        let mut changed = false;
        running.failing = outcome.as_ref().err().map(|why| format!("{kind:?} probe failed: {why}"));
        if running.failing.is_some() && !running.ready {
            // Worth telling only if it stays so: a start fails its probes until it is over.
            self.publish_at.get_or_insert_with(|| Instant::now() + FAILING_DELAY);
        }
        match (kind, verdict) {
            (_, Verdict::Same) => {}
            (Kind::Startup, Verdict::Passing) => {
                running.started = true;
                running.ready = !running.probes.iter().any(|probe| probe.kind == Kind::Readiness);
                again = (0..running.probes.len()).filter(|other| *other != at).collect();
                changed = true;
            }
            (Kind::Readiness, Verdict::Passing) => changed = !std::mem::replace(&mut running.ready, true),
            (Kind::Readiness, Verdict::Failing) => changed = std::mem::replace(&mut running.ready, false),
            (Kind::Liveness, Verdict::Passing) => {}
            (Kind::Startup | Kind::Liveness, Verdict::Failing) => {
                let why = outcome.as_ref().err().cloned().unwrap_or_default();
                tracing::info!(pod = %self.pod.key(), container = name, why, "probe failed; restarting the container");
                running.killed_for = Some(format!("{kind:?} probe failed: {why}"));
                if let Some(id) = running.id.clone() {
                    let grace = probe_grace(&record.spec, kind).unwrap_or_else(|| deadline::grace(&self.pod));
                    let (shared, sandbox) = (Arc::clone(&self.shared), self.sandbox.clone());
                    let stop = end::stop_within(shared, sandbox, id, hook::of(&record.spec), grace);
                    // The exit arrives by itself; nothing follows from the stop.
                    self.happenings.push(Box::pin(async move {
                        stop.await;
                        std::future::pending().await
                    }));
                }
                return false;
            }
        }
        let first = kind == Kind::Startup && verdict == Verdict::Passing;
        for probe in again {
            let ask = start::probe(&self.shared, &self.sandbox, running, index, round, probe, first);
            self.happenings.push(ask);
        }
        changed
    }

    pub(super) fn after(&mut self, wait: Duration, happening: Happening) {
        self.happenings.push(Box::pin(async move {
            tokio::time::sleep(wait).await;
            happening
        }));
    }
}

/// How long a container has that a probe ends, if the probe says so itself.
fn probe_grace(container: &Container, kind: Kind) -> Option<Duration> {
    let probe = match kind {
        Kind::Startup => container.startup_probe.as_ref()?,
        Kind::Liveness => container.liveness_probe.as_ref()?,
        Kind::Readiness => return None,
    };
    probe.termination_grace_period_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
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
