//! The life of one pod, from the moment it is bound to this node until it is forgotten.

mod end;
mod prepare;
mod start;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use objects::WriteTarget;
use resources::{
    Object,
    builtin::{Pod, PodStatus},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use self::{prepare::Prepared, start::Run};
use super::{
    StartRecord, image,
    kubelet::Shared,
    state::{Ended, Record, Running, State},
    status, termination,
};
use crate::{
    probe::{FineTimer, Kind, Outcome, Verdict},
    runtime::{Exit, SandboxId},
};

/// How long a status may wait for the next one to overtake it: a start is told once, when it is over.
const STATUS_DELAY: Duration = Duration::from_millis(20);
/// How long to wait after the API refused a status.
const STATUS_RETRY: Duration = Duration::from_secs(1);

/// The pod condition that is False where the runtime cannot do what the spec asks.
const POD_SPEC_HONORED: &str = "ebb.internal/SpecHonored";

/// One pod's worker.
pub(super) struct Worker {
    shared: Arc<Shared>,
    pod: Arc<Pod>,
    updates: watch::Receiver<Arc<Pod>>,
    sandbox: SandboxId,
    address: Option<Ipv4Addr>,
    prepared: Option<Arc<Prepared>>,
    records: Vec<Record>,
    /// Which containers have a start, a wait or a restart under way.
    pending: Vec<bool>,
    happenings: FuturesUnordered<BoxFuture<'static, Happening>>,
    /// What the runtime does not honour: condition and message.
    notes: Vec<(String, String)>,
    published: Option<PodStatus>,
    publish_at: Option<Instant>,
    seen_at: Instant,
    times: Times,
    prepare_failures: u32,
}

/// The parts of the pod's start.
#[derive(Clone, Copy, Default)]
struct Times {
    sandbox: Duration,
    start: Duration,
    told: bool,
}

/// Something that a worker waits for.
enum Happening {
    Prepared(Result<Prepared, image::Failure>),
    PrepareAgain,
    Started { index: usize, outcome: Result<Run, image::Failure> },
    Exited { index: usize, run: u32, exit: Exit, message: String },
    Probed { index: usize, run: u32, probe: usize, outcome: Outcome },
    Due { index: usize },
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, pod: Arc<Pod>, updates: watch::Receiver<Arc<Pod>>) -> Self {
        let records = start::records(&pod, &shared.clock);
        Self {
            sandbox: SandboxId::from(pod.uid().to_owned()),
            address: None,
            prepared: None,
            pending: vec![false; records.len()],
            records,
            happenings: FuturesUnordered::new(),
            notes: Vec::new(),
            published: None,
            publish_at: None,
            seen_at: Instant::now(),
            times: Times::default(),
            prepare_failures: 0,
            shared,
            pod,
            updates,
        }
    }

    pub(super) async fn run(mut self) {
        let mut known = true;
        if !self.pod.is_deleting() {
            self.prepare();
            known = self.live().await;
        }
        self.end(known).await;
    }

    /// Returns when the pod is to end: true when it was asked to, false when it is gone already.
    async fn live(&mut self) -> bool {
        loop {
            let publish_at = self.publish_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                Some(happening) = self.happenings.next() => self.take(happening).await,
                changed = self.updates.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                    self.pod = Arc::clone(&self.updates.borrow_and_update());
                    if self.pod.is_deleting() {
                        return true;
                    }
                }
                () = sleep_until(publish_at), if self.publish_at.is_some() => self.publish().await,
            }
        }
    }

    async fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Prepared(Ok(prepared)) => {
                self.times.sandbox = self.seen_at.elapsed();
                self.address = Some(prepared.address);
                self.prepared = Some(Arc::new(prepared));
                self.advance();
                return;
            }
            Happening::Prepared(Err(failure)) => {
                self.prepare_failures += 1;
                let wait = prepare::wait(self.prepare_failures);
                for record in &mut self.records {
                    record.state =
                        State::Waiting { reason: failure.reason, message: failure.message.clone() };
                }
                self.after(wait, Happening::PrepareAgain);
            }
            Happening::PrepareAgain => return self.prepare(),
            Happening::Started { index, outcome: Ok(run) } => {
                self.started(index, run);
                self.advance();
                // Told with what follows, unless that takes its time.
                self.publish_at.get_or_insert_with(|| Instant::now() + STATUS_DELAY);
                return;
            }
            Happening::Started { index, outcome: Err(failure) } => self.not_started(index, failure),
            Happening::Exited { index, run, exit, message } => self.exited(index, run, exit, message),
            Happening::Probed { index, run, probe, outcome } => {
                if !self.probed(index, run, probe, outcome) {
                    return;
                }
            }
            Happening::Due { index } => {
                self.pending[index] = false;
                self.advance();
                return;
            }
        }
        self.advance();
        self.publish().await;
    }

    /// Starts what can be started now: the next init container, or all others when those are done.
    fn advance(&mut self) {
        let Some(prepared) = self.prepared.clone() else { return };
        if matches!(status::phase(&self.pod, &self.records), "Succeeded" | "Failed") {
            return;
        }
        let done = |record: &Record| matches!(&record.state, State::Ended(ended) if ended.code == 0);
        let next_init = self.records.iter().position(|record| record.is_init && !done(record));
        let candidates: Vec<_> = match next_init {
            Some(index) => vec![index],
            None => (0..self.records.len()).filter(|index| !self.records[*index].is_init).collect(),
        };
        for index in candidates {
            if !self.pending[index] && matches!(self.records[index].state, State::Waiting { .. }) {
                self.pending[index] = true;
                let start = start::start(
                    Arc::clone(&self.shared),
                    Arc::clone(&self.pod),
                    self.records[index].spec.clone(),
                    self.records[index].restarts,
                    Arc::clone(&prepared),
                );
                self.happenings
                    .push(Box::pin(async move { Happening::Started { index, outcome: start.await } }));
            }
        }
    }

    fn started(&mut self, index: usize, run: Run) {
        self.pending[index] = false;
        self.times.start = self.seen_at.elapsed().saturating_sub(self.times.sandbox);
        let record = &mut self.records[index];
        record.image_id = run.image_id;
        for field in run.unsupported {
            let message = format!("this node's runtime does not honour {field}");
            if !self.notes.iter().any(|(_, told)| *told == message) {
                self.notes.push((POD_SPEC_HONORED.to_owned(), message));
            }
        }
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
        };
        for probe in 0..running.probes.len() {
            // Startup holds the others back.
            if !has_startup || running.probes[probe].kind == Kind::Startup {
                self.happenings.push(start::probe(
                    &self.shared,
                    &self.sandbox,
                    &running,
                    index,
                    record.restarts,
                    probe,
                    true,
                ));
            }
        }
        if let Some(id) = run.id {
            let wait = start::wait(&self.shared, &self.pod, &record.spec, id, record.restarts);
            let run = record.restarts;
            self.happenings.push(Box::pin(async move {
                let (exit, message) = wait.await;
                Happening::Exited { index, run, exit, message }
            }));
        }
        record.state = State::Running(running);
    }

    fn not_started(&mut self, index: usize, failure: image::Failure) {
        let record = &mut self.records[index];
        let wait = start::failed(&self.shared, record, &failure);
        self.happenings.push(Box::pin(async move {
            wait.await;
            Happening::Due { index }
        }));
    }

    fn exited(&mut self, index: usize, run: u32, exit: Exit, message: String) {
        let record = &mut self.records[index];
        let Some(running) = record.running().filter(|_| record.restarts == run) else { return };
        let ran = running.since.elapsed();
        let ended = termination::ended(&record.spec, running, exit, message, (self.shared.clock)());
        if !restarts(&self.pod, record.is_init, &ended) {
            record.state = State::Ended(ended);
            return;
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
    }

    /// Takes a probe's outcome in and asks again; returns whether the pod's status changed.
    fn probed(&mut self, index: usize, run: u32, at: usize, outcome: Outcome) -> bool {
        let record = &mut self.records[index];
        if record.restarts != run {
            return false;
        }
        let name = record.spec.name.clone();
        let Some(running) = record.running_mut() else { return false };
        let verdict = running.probes[at].note(outcome.is_ok());
        let kind = running.probes[at].kind;
        let mut again = vec![at];
        let mut changed = false;
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
                    let grace = end::grace(&self.pod);
                    let stop = end::stop(Arc::clone(&self.shared), id, grace);
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
            let ask = start::probe(&self.shared, &self.sandbox, running, index, run, probe, first);
            self.happenings.push(ask);
        }
        changed
    }

    fn after(&mut self, wait: Duration, happening: Happening) {
        self.happenings.push(Box::pin(async move {
            tokio::time::sleep(wait).await;
            happening
        }));
    }

    /// Writes the status if it is not what was written last.
    async fn publish(&mut self) {
        self.publish_at = None;
        let now = (self.shared.clock)();
        let status = status::status(&self.pod, &self.records, self.address, &self.notes, now);
        if self.published.as_ref() == Some(&status) {
            return;
        }
        self.note_start(&status);
        let uid = self.pod.uid().to_owned();
        let key = self.pod.key();
        let written = self.shared.client.modify::<Pod>(WriteTarget::Status, &key, |pod| {
            if pod.uid() == uid {
                pod.status = Some(status.clone());
            }
        });
        match written.await {
            Ok(pod) => {
                if pod.uid() == uid {
                    // Later conditions keep the times of these.
                    self.pod = pod;
                }
                self.published = Some(status);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                tracing::warn!(pod = %key, %error, "could not write the pod's status");
                self.publish_at = Some(Instant::now() + STATUS_RETRY);
            }
        }
    }

    /// Notes the parts of the start the first time the pod is ready.
    fn note_start(&mut self, status: &PodStatus) {
        let ready = status
            .conditions
            .iter()
            .flatten()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True");
        if ready && !std::mem::replace(&mut self.times.told, true) {
            let record = StartRecord {
                seen_at: self.seen_at,
                sandbox: self.times.sandbox,
                start: self.times.start,
                ready_at: Instant::now(),
            };
            self.shared.records.insert(self.pod.uid(), record);
        }
    }
}

/// Whether a container that ended starts again.
fn restarts(pod: &Pod, is_init: bool, ended: &Ended) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    match policy {
        "Never" => false,
        "OnFailure" => ended.code != 0,
        _ => !is_init || ended.code != 0,
    }
}

/// Waits for the time of a probe's next try; a fine timer where a millisecond is long.
async fn wait_for_try(wait: Duration) {
    if wait >= Duration::from_millis(5) {
        return tokio::time::sleep(wait).await;
    }
    let waited = match FineTimer::new() {
        Ok(mut timer) => timer.wait(wait).await,
        Err(error) => Err(error),
    };
    if waited.is_err() {
        tokio::time::sleep(wait).await;
    }
}
