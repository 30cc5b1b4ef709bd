//! The end of a pod: its requests are answered, its containers asked and then told to stop, and nothing is left.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::join_all};
use objects::{DeleteOptions, Precondition};
use resources::{Object, builtin::Pod};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Happening, Worker};
use crate::{
    pod::{built_in, kubelet::Shared, state::State},
    runtime::ContainerId,
};

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;
/// What a container has at least between being asked and being told, however long its `preStop` took
/// (upstream: kubernetes, kubelet `minimumGracePeriodInSeconds`).
const GRACE_MIN: Duration = Duration::from_secs(2);

/// How long the pod's containers have.
pub(super) fn grace(pod: &Pod) -> Duration {
    let spec = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    let seconds = pod.metadata.deletion_grace_period_seconds.or(spec).unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Asks a container to stop and tells it to when its time is over.
pub(super) async fn stop(shared: Arc<Shared>, id: ContainerId, grace: Duration) {
    if grace > Duration::ZERO {
        if let Err(error) = shared.runtime.signal(&id, SIGTERM) {
            tracing::debug!(container = %id, %error, "could not ask a container to stop");
        }
        if timeout(grace, shared.runtime.wait(&id)).await.is_ok() {
            return;
        }
    }
    if let Err(error) = shared.runtime.signal(&id, SIGKILL) {
        tracing::debug!(container = %id, %error, "could not stop a container");
    }
}

impl Worker {
    /// Ends the pod. `known` says whether it is still in the API and to be deleted there.
    pub(super) async fn end(&mut self, known: bool) {
        let deadline = Instant::now() + if known { grace(&self.pod) } else { Duration::ZERO };
        self.drain(deadline).await;
        let left = deadline.saturating_duration_since(Instant::now());
        let grace = if known && deadline > Instant::now() { left.max(GRACE_MIN) } else { left };
        let ids = self.records.iter().filter_map(|record| record.running()?.id.clone());
        let stops: Vec<_> = ids.map(|id| stop(Arc::clone(&self.shared), id, grace)).collect();
        join_all(stops).await;
        if known {
            self.collect_exits().await;
        }
        self.remove().await;
        if known {
            self.forget().await;
        }
    }

    /// Waits for the requests in hand where queue-proxy would have.
    async fn drain(&mut self, deadline: Instant) {
        let waits = self
            .records
            .iter()
            .any(|record| record.running().is_some() && built_in::waits_for_drain(&record.spec));
        if waits && timeout_at(deadline, self.shared.drain.drain(&self.pod)).await.is_err() {
            tracing::info!(pod = %self.pod.key(), "requests were still in hand when the pod's time was over");
        }
    }

    /// Takes in how the containers ended, so that the last status tells it.
    async fn collect_exits(&mut self) {
        let running = |worker: &Self| {
            worker.records.iter().any(|record| record.running().is_some_and(|running| running.id.is_some()))
        };
        while running(self) {
            let Ok(Some(happening)) = timeout(GRACE_MIN, self.happenings.next()).await else { break };
            if let Happening::Exited { index, run, exit, message } = happening {
                let record = &mut self.records[index];
                if record.restarts == run
                    && let Some(running) = record.running()
                {
                    let ended = crate::pod::termination::ended(
                        &record.spec,
                        running,
                        exit,
                        message,
                        (self.shared.clock)(),
                    );
                    record.state = State::Ended(ended);
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
        let dir = self.shared.options.run_dir.join("pods").join(self.pod.uid());
        if let Err(error) = std::fs::remove_dir_all(&dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, dir = %dir.display(), "could not delete a pod's directory");
        }
        if let Some(address) = self.address.take() {
            self.shared.addresses.give_back(address);
        }
        self.shared.records.remove(self.pod.uid());
    }

    /// Deletes the pod from the API, now that nothing of it is left.
    async fn forget(&mut self) {
        self.shared.logs.remove(self.pod.uid());
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
