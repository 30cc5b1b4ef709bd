//! The end of a pod: its requests are answered, its containers asked and then told to stop, and nothing is left.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::join_all};
use objects::{DeleteOptions, Precondition};
use resources::{Object, builtin::Pod};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Happening, Worker,
    deadline::{self, Deadline},
};
use crate::{
    pod::{built_in, kubelet::Shared, state::State, termination},
    runtime::ContainerId,
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

impl Worker {
    /// Ends the pod.
    pub(super) async fn end(&mut self, ending: Ending) {
        let now = Instant::now();
        let deadline = match ending {
            Ending::Deleted => Deadline::of(&self.pod, now),
            Ending::Gone => Deadline::gone(now),
            Ending::NodeStops => Deadline::node_stops(&self.pod, now),
        };
        let (shorten, deadline) = watch::channel(deadline);
        let follow = deadline::follow(self.updates.clone(), self.shared.stop.clone(), shorten);
        tokio::select! {
            biased;
            never = follow => match never {},
            () = self.stop_all(ending, deadline) => {}
        }
        if ending == Ending::Deleted {
            self.collect_exits().await;
            self.tell().await;
        }
        self.remove().await;
        if ending == Ending::NodeStops {
            return;
        }
        self.remove_files();
        if ending == Ending::Deleted {
            self.forget().await;
        }
    }

    async fn stop_all(&mut self, ending: Ending, deadline: watch::Receiver<Deadline>) {
        if ending != Ending::Gone {
            // From here on the pod takes no new requests.
            for record in &mut self.records {
                if let Some(running) = record.running_mut() {
                    running.ready = false;
                }
            }
            self.tell().await;
        }
        self.drain(deadline.clone()).await;
        let asked = Instant::now();
        let ids = self.records.iter().filter_map(|record| record.running()?.id.clone());
        let stops: Vec<_> = ids
            .map(|id| stop(Arc::clone(&self.shared), id, deadline::over(deadline.clone(), Some(asked))))
            .collect();
        join_all(stops).await;
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

    async fn remove(&mut self) {
        // Whatever is still starting or waiting ends here.
        self.happenings.clear();
        if let Err(error) = self.shared.runtime.remove_sandbox(&self.sandbox).await {
            tracing::warn!(pod = %self.pod.key(), %error, "could not remove all of the pod's sandbox");
        }
        self.shared.images.release_pod(self.pod.uid());
        self.shared.records.remove(self.pod.uid());
    }

    /// Removes what the pod wrote, now that it never runs again.
    fn remove_files(&self) {
        let dir = self.shared.pod_dir(&self.pod);
        if let Err(error) = std::fs::remove_dir_all(&dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, dir = %dir.display(), "could not delete a pod's directory");
        }
        self.shared.logs.remove(self.pod.uid());
    }

    /// Deletes the pod from the API, now that nothing of it is left.
    async fn forget(&mut self) {
        let options = DeleteOptions {
            grace_period_seconds: Some(0),
            precondition: Precondition { uid: Some(self.pod.uid().to_owned()), resource_version: None },
            ..DeleteOptions::default()
        };
        let mut wait = Duration::from_millis(50);
        loop {
            match self.shared.client.delete::<Pod>(&self.pod.key(), &options).await {
                Err(error) if !error.is_not_found() && !error.is_conflict() => {
                    tracing::warn!(pod = %self.pod.key(), %error, "could not delete the pod; trying again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(10));
                }
                _ => return,
            }
        }
    }
}
