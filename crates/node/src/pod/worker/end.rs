//! The end of a pod: its requests are answered, its containers asked and then told to stop, and nothing is left.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::join_all};
use resources::Object;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Happening, Worker, aside,
    deadline::{self, Deadline},
    forget::forget,
    hook::{self, Hook},
};
use crate::{
    pod::{
        built_in,
        kubelet::Shared,
        remains,
        state::{Failed, Record, State},
        termination,
    },
    runtime::{ContainerId, SandboxId},
};

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;
/// How long the end of a container that was killed may take to be told.
const EXIT_MAX: Duration = Duration::from_secs(2);
/// How long the pod's end waits for the API to take a status.
const TELL_MAX: Duration = Duration::from_secs(2);

/// Why a pod ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is to be deleted, which the API hears when it is done.
    Deleted,
    /// It is not in the API any more.
    Gone,
    /// The node stops; the pod stays, and runs again with the node.
    NodeStops,
}

/// Asks a container to stop and tells it to when its time is `over`.
pub(super) async fn stop(shared: Arc<Shared>, id: ContainerId, over: impl Future<Output = ()>) {
    tokio::pin!(over);
    if over.as_mut().now_or_never().is_none() {
        if let Err(error) = shared.runtime.signal(&id, SIGTERM) {
            tracing::debug!(container = %id, %error, "could not ask a container to stop");
        }
        tokio::select! {
            _ = shared.runtime.wait(&id) => return,
            () = over => {}
        }
    }
    if let Err(error) = shared.runtime.signal(&id, SIGKILL) {
        tracing::debug!(container = %id, %error, "could not stop a container");
    }
}

/// Runs a container's hook, and then stops it; all of it within `grace`.
pub(super) async fn stop_within(
    shared: Arc<Shared>,
    sandbox: SandboxId,
    id: ContainerId,
    hook: Option<Hook>,
    grace: Duration,
) {
    let asked = Instant::now();
    if let Some(hook) = hook {
        run_hook(&shared, &sandbox, &id, &hook, tokio::time::sleep(grace)).await;
    }
    let left = grace.saturating_sub(asked.elapsed());
    let left = if grace.is_zero() { left } else { left.max(deadline::GRACE_MIN) };
    stop(shared, id, tokio::time::sleep(left)).await;
}

async fn run_hook(
    shared: &Shared,
    sandbox: &SandboxId,
    id: &ContainerId,
    hook: &Hook,
    over: impl Future<Output = ()>,
) {
    tokio::select! {
        outcome = hook::run(hook, &*shared.runtime, sandbox, id, over) => if let Err(why) = outcome {
            tracing::info!(container = %id, why, "the container's preStop hook failed");
        },
        // Nothing is left to be asked.
        _ = shared.runtime.wait(id) => {}
    }
}

impl Worker {
    /// Ends the pod.
    pub(super) async fn end(&mut self, ending: Ending) {
        let now = Instant::now();
        let deadline = match ending {
            Ending::Deleted => Deadline::of(&self.pod, now),
            Ending::Gone => Deadline::gone(now),
            Ending::NodeStops => Deadline::node_stops(&self.pod, now),
        };
        self.stop_by(ending, deadline).await;
        if ending == Ending::Deleted {
            self.collect_exits().await;
            self.tell().await;
        }
        let is_gone = match ending {
            Ending::NodeStops => return self.leave().await,
            Ending::Deleted | Ending::Gone => self.remove().await,
        };
        if is_gone && ending == Ending::Deleted {
            forget(&self.shared.client, &self.pod, &self.shared.stop).await;
        }
    }

    /// Ends the containers of a pod that failed as a whole. The pod stays in the API as it ended, until it is deleted.
    pub(super) async fn fail(&mut self, failed: Failed) {
        tracing::info!(pod = %self.pod.key(), reason = failed.reason, message = failed.message, "the pod failed");
        self.warn(None, failed.reason, failed.message.clone());
        self.failed = Some(failed);
        self.stop_by(Ending::Deleted, Deadline::of(&self.pod, Instant::now())).await;
        self.collect_exits().await;
        self.let_go();
        let (shared, sandbox) = (Arc::clone(&self.shared), self.sandbox.clone());
        if remains::remove_sandbox(&shared, &sandbox).await.is_err() {
            let pod = self.pod.key();
            self.happenings.push(aside(async move {
                let told = |why: &str| tracing::warn!(%pod, why, "could not remove all of the pod's sandbox; trying again");
                let attempt = || remains::remove_sandbox(&shared, &sandbox);
                remains::until_gone(attempt, &shared.stop, told).await;
            }));
        }
        self.publish().await;
    }

    /// Stops all containers by a deadline that may come nearer meanwhile.
    async fn stop_by(&mut self, ending: Ending, deadline: Deadline) {
        let (shorten, deadline) = watch::channel(deadline);
        let follow = deadline::follow(self.updates.clone(), self.shared.stop.clone(), shorten);
        tokio::select! {
            biased;
            never = follow => match never {},
            () = self.stop_all(ending, deadline) => {}
        }
    }

    async fn stop_all(&mut self, ending: Ending, deadline: watch::Receiver<Deadline>) {
        if ending != Ending::Gone {
            for index in 0..self.records.len() {
                let record = &self.records[index];
                if record.running().is_some() {
                    let message = format!("Stopping container {}", record.spec.name);
                    self.inform(Some(index), "Killing", message);
                }
            }
            // From here on the pod takes no new requests.
            for record in &mut self.records {
                if let Some(running) = record.running_mut() {
                    running.ready = false;
                }
            }
            self.tell().await;
        }
        self.drain(deadline.clone()).await;
        let running = |record: &Record| Some((record.running()?.id.clone()?, hook::pre_stop(&record.spec)));
        let stops = self.records.iter().filter_map(running).map(|(id, hook)| {
            let (shared, sandbox, deadline) = (Arc::clone(&self.shared), &self.sandbox, deadline.clone());
            async move {
                if let Some(hook) = hook.filter(|_| ending != Ending::Gone) {
                    run_hook(&shared, sandbox, &id, &hook, deadline::over(deadline.clone(), None)).await;
                }
                stop(shared, id, deadline::over(deadline, Some(Instant::now()))).await;
            }
        });
        join_all(stops.collect::<Vec<_>>()).await;
    }

    /// Publishes the status, but lets no slow API hold the pod's end up.
    async fn tell(&mut self) {
        if timeout(TELL_MAX, self.publish()).await.is_err() {
            tracing::warn!(pod = %self.pod.key(), "the API took no status of a pod that ends");
        }
    }

    /// Waits for the requests in hand where queue-proxy would have.
    async fn drain(&mut self, deadline: watch::Receiver<Deadline>) {
        let waits = self
            .records
            .iter()
            .any(|record| record.running().is_some() && built_in::waits_for_drain(&record.spec));
        if waits {
            tokio::select! {
                () = self.shared.drain.drain(&self.pod) => {}
                () = deadline::over(deadline, None) => tracing::info!(
                    pod = %self.pod.key(),
                    "requests were still in hand when the pod's time was over"
                ),
            }
        }
    }

    /// Takes in how the containers ended, so that the last status tells it.
    async fn collect_exits(&mut self) {
        let running = |worker: &Self| {
            worker.records.iter().any(|record| record.running().is_some_and(|running| running.id.is_some()))
        };
        while running(self) {
            let Ok(Some(happening)) = timeout(EXIT_MAX, self.happenings.next()).await else { break };
            if let Happening::Exited { index, run, exit, message } = happening {
                let record = &mut self.records[index];
                if record.restarts == run
                    && let Some(running) = record.running()
                {
                    let now = (self.shared.clock)();
                    record.state =
                        State::Ended(termination::ended(&record.spec, running, exit, message, now));
                }
            }
        }
    }

    /// Whatever is still starting or waiting ends here.
    fn let_go(&mut self) {
        self.happenings.clear();
        self.shared.records.remove(self.pod.uid());
    }

    /// Removes what runs, for the pod to run again with the node. What cannot be removed goes with the keeper.
    async fn leave(&mut self) {
        self.let_go();
        if let Err(why) = remains::remove_sandbox(&self.shared, &self.sandbox).await {
            tracing::warn!(pod = %self.pod.key(), why, "could not remove all of the pod's sandbox");
        }
    }

    /// Removes all of the pod; false when the node stops before that is done.
    async fn remove(&mut self) -> bool {
        self.let_go();
        let (shared, pod, sandbox) = (Arc::clone(&self.shared), Arc::clone(&self.pod), self.sandbox.clone());
        let turns = self.volumes.clone();
        let attempt = || async {
            remains::remove_sandbox(&shared, &sandbox).await?;
            turns.over().await;
            remains::remove_files(&shared, &pod).await
        };
        let told = |why: &str| {
            tracing::warn!(pod = %pod.key(), why, "could not remove all of the pod; trying again");
            self.warn(None, "FailedKillPod", format!("could not remove all of the pod; trying again: {why}"));
        };
        remains::until_gone(attempt, &shared.stop, told).await
    }
}
