//! What each happening does to the containers' states, and what follows from it.

use std::{sync::Arc, time::Duration};

use resources::{
    Object,
    builtin::Container,
    container_reasons::{CONTAINER_CREATING, IMAGE_PULL_BACK_OFF, OOM_KILLED, START_ERROR},
};
use tokio::time::Instant;

use super::{
    Happening, Worker, aside, deadline, end,
    hook::{self, Hook},
    start::{self, Run},
    start_again::restarts,
};
use crate::{
    pod::{
        backoff::StartBackoff,
        built_in, image,
        state::{self, Running, State},
        termination,
    },
    probe::{Fault, Kind, Outcome, Verdict},
    runtime::{ContainerId, Exit},
};

/// How long a container may fail its probes before its status says so.
const FAILING_DELAY: Duration = Duration::from_secs(1);

/// How long a start may take before an Event says which probe it fails.
const SLOW_START: Duration = Duration::from_secs(5);

impl Worker {
    pub(super) fn started(&mut self, index: usize, run: Run) {
        self.pending[index] = false;
        // It may be heard of before its sandbox, which it runs in.
        self.has_sandbox = true;
        self.times.start = self.seen_at.elapsed().saturating_sub(self.times.sandbox);
        if run.id.is_some() {
            self.inform_of_start(index, run.was_pulled);
        }
        let record = &mut self.records[index];
        record.begun();
        record.image_id = run.image_id;
        record.start_backoff = StartBackoff::default();
        record.round += 1;
        self.left_out.extend(run.unsupported);
        let has_readiness = run.probes.iter().any(|probe| probe.kind == Kind::Readiness);
        let has_startup = run.probes.iter().any(|probe| probe.kind == Kind::Startup);
        let hook = run.id.clone().zip(hook::post_start(&record.spec));
        let waits = has_startup || hook.is_some();
        let running = Running {
            id: run.id.clone(),
            started_at: (self.shared.clock)(),
            since: Instant::now(),
            started: !waits,
            ready: !has_readiness && !waits,
            probes: run.probes,
            killed_for: None,
            failing: None,
        };
        let is_built_in = built_in::is_built_in(&record.spec);
        record.state = State::Running(running);
        if let Some(id) = run.id {
            self.follow_end(index, id);
        }
        match hook {
            Some((id, hook)) => self.run_post_start(index, id, hook),
            None if is_built_in => {}
            None => self.ask(index),
        }
        self.renew_built_in();
    }

    /// Does what is to be done when a container has been started; its probes wait for that.
    fn run_post_start(&mut self, index: usize, id: ContainerId, hook: Hook) {
        let (shared, sandbox) = (Arc::clone(&self.shared), self.sandbox.clone());
        let round = self.records[index].round;
        self.happenings.push(Box::pin(async move {
            let run = hook::run(&hook, &*shared.runtime, &sandbox, &id, std::future::pending());
            Happening::PostStarted { index, round, outcome: run.await }
        }));
    }

    /// Goes on with a container whose hook is done, or ends it where that failed; returns whether its status changed.
    pub(super) fn post_started(&mut self, index: usize, round: u32, outcome: Result<(), String>) -> bool {
        if self.records[index].round != round {
            return false;
        }
        if let Err(why) = outcome {
            self.warn(Some(index), "FailedPostStartHook", format!("PostStartHook failed: {why}"));
            self.end_for(index, format!("PostStartHook failed: {why}"), None);
            return false;
        }
        let Some(running) = self.records[index].running_mut() else { return false };
        let has = |kind| running.probes.iter().any(|probe| probe.kind == kind);
        (running.started, running.ready) =
            (!has(Kind::Startup), !has(Kind::Startup) && !has(Kind::Readiness));
        self.ask(index);
        true
    }

    /// Asks a container to end, for a reason that its status will say. Its exit arrives by itself.
    fn end_for(&mut self, index: usize, why: String, grace: Option<Duration>) {
        let record = &mut self.records[index];
        let hook = hook::pre_stop(&record.spec);
        let Some(running) = record.running_mut() else { return };
        running.killed_for = Some(why);
        if let Some(id) = running.id.clone() {
            let grace = grace.unwrap_or_else(|| deadline::grace(&self.pod));
            let stop = end::stop_within(Arc::clone(&self.shared), self.sandbox.clone(), id, hook, grace);
            self.happenings.push(aside(stop));
        }
    }

    /// Waits for the end of a container's run.
    pub(super) fn follow_end(&mut self, index: usize, id: ContainerId) {
        let record = &self.records[index];
        let wait = start::wait(&self.shared, &self.pod, &record.spec, id, record.restarts);
        let run = record.restarts;
        self.happenings.push(Box::pin(async move {
            let (exit, message) = wait.await;
            Happening::Exited { index, run, exit, message }
        }));
    }

    fn inform_of_start(&mut self, index: usize, was_pulled: bool) {
        let container = &self.records[index].spec;
        let (name, image) = (container.name.clone(), container.image.clone().unwrap_or_default());
        let pulled = match was_pulled {
            true => format!("Successfully pulled image {image:?}"),
            false => format!("Container image {image:?} already present on machine"),
        };
        self.inform(Some(index), "Pulled", pulled);
        self.inform(Some(index), "Created", format!("Created container: {name}"));
        self.inform(Some(index), "Started", format!("Started container {name}"));
    }

    /// Begins to ask a container's probes.
    pub(super) fn ask(&mut self, index: usize) {
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
    pub(super) fn renew_built_in(&mut self) {
        for index in state::renew_built_in(&mut self.records, Instant::now()) {
            self.ask(index);
        }
    }

    pub(super) fn not_started(&mut self, index: usize, failure: image::Failure) {
        if failure.reason == START_ERROR {
            return self.not_run(index, failure.message);
        }
        let record = &mut self.records[index];
        let wait = start::failed(&self.shared, &self.pod, record, &failure);
        if let State::Waiting { reason, message, .. } = &record.state {
            let (reason, message) = match *reason {
                IMAGE_PULL_BACK_OFF => ("BackOff", message.clone()),
                _ => ("Failed", format!("Error: {message}")),
            };
            self.warn(Some(index), reason, message);
        }
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
        if ended.reason == OOM_KILLED {
            let message = out_of_memory(&record.spec);
            self.warn(Some(index), OOM_KILLED, message);
        }
        let record = &mut self.records[index];
        if !restarts(&self.pod, record.is_init, &ended) {
            record.state = State::Ended(ended);
            return self.renew_built_in();
        }
        let wait = record.backoff.after(ran);
        record.last = Some(ended);
        record.is_spent = true;
        self.start_again(index, wait, CONTAINER_CREATING, String::new());
        self.renew_built_in();
    }

    /// Takes a probe's outcome in and asks again; returns whether the pod's status changed.
    pub(super) fn probed(&mut self, index: usize, round: u32, at: usize, outcome: Outcome) -> bool {
        if self.records[index].round != round {
            return false;
        }
        self.warn_of_probe(index, at, &outcome);
        if let Err(Fault::NotAsked(why)) = &outcome {
            return self.ask_again(index, round, at, why);
        }
        let record = &mut self.records[index];
        let name = record.spec.name.clone();
        let Some(running) = record.running_mut() else { return false };
        let verdict = running.probes[at].note(outcome.is_ok());
        let kind = running.probes[at].kind;
        let mut again = vec![at];
        let mut changed = false;
        running.failing =
            outcome.as_ref().err().map(|fault| format!("{kind:?} probe failed: {}", fault.why()));
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
                let why = outcome.as_ref().err().map_or("", Fault::why);
                tracing::info!(pod = %self.pod.key(), container = name, why, "probe failed; restarting the container");
                let grace = probe_grace(&record.spec, kind);
                self.end_for(index, format!("{kind:?} probe failed: {why}"), grace);
                let probe = format!("{kind:?}").to_lowercase();
                let message = format!("Container {name} failed {probe} probe, will be restarted");
                let news = self.news_of(Some(index), false, "Killing", message);
                self.shared.recorder.tell(news);
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

    /// The node had trouble of its own: the outcome is that of no try.
    fn ask_again(&mut self, index: usize, round: u32, at: usize, why: &str) -> bool {
        let record = &mut self.records[index];
        tracing::warn!(pod = %self.pod.key(), container = record.spec.name, why, "the node cannot probe a container");
        if let Some(running) = record.running_mut() {
            let ask = start::probe(&self.shared, &self.sandbox, running, index, round, at, false);
            self.happenings.push(ask);
        }
        false
    }

    /// Tells of a probe that failed, but not of one that only waits for a start to be over that is not slow yet.
    fn warn_of_probe(&mut self, index: usize, at: usize, outcome: &Outcome) {
        let (Some(running), Err(fault)) = (self.records[index].running(), outcome) else { return };
        let probe = &running.probes[at];
        if let Fault::NotAsked(why) = fault {
            let message = format!("{:?} probe errored: {why}", probe.kind);
            return self.warn(Some(index), "Unhealthy", message);
        }
        let why = fault.why();
        if probe.counts_failures() || running.since.elapsed() >= SLOW_START {
            let message = format!("{:?} probe failed: {why}", probe.kind);
            self.warn(Some(index), "Unhealthy", message);
        }
    }

    pub(super) fn after(&mut self, wait: Duration, happening: Happening) {
        self.happenings.push(Box::pin(async move {
            tokio::time::sleep(wait).await;
            happening
        }));
    }
}

/// What is told of a container that the kernel killed.
fn out_of_memory(container: &Container) -> String {
    let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let limit = limits.and_then(|limits| limits.get("memory"));
    let limit = limit.map_or_else(String::new, |limit| format!(" (its limit is {})", limit.0));
    format!("Container {} was killed: it took more memory than it may{limit}", container.name)
}

/// How long a container has that a probe ends, if the probe says so itself.
fn probe_grace(container: &Container, kind: Kind) -> Option<Duration> {
    let probe = match kind {
        Kind::Startup => container.startup_probe.as_ref()?,
        Kind::Liveness => container.liveness_probe.as_ref()?,
        Kind::Readiness => return None,
    };
    probe
        .termination_grace_period_seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(Duration::from_secs)
}
