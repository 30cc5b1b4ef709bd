//! The life of one pod, from the moment it is bound to this node until it is forgotten.

mod bounds;
mod deadline;
mod end;
mod fit;
mod forget;
mod go_on;
mod hook;
mod news;
mod prepare;
mod publish;
mod renew;
mod start;
mod start_again;
mod take_over;
mod told;
mod transitions;

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use resources::{
    Object,
    builtin::{Pod, PodStatus},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

pub(crate) use self::start::container_id;
pub(super) use self::{deadline::STOP_GRACE_MAX, publish::take_back};
use self::{end::Ending, news::OrdinaryNews, prepare::Prepared, start::Run};
use super::{
    events::News,
    image,
    kubelet::Shared,
    state::{Failed, Record, State},
    status, unclaimed,
    values::Seen,
    volumes::Turns,
};
use crate::{
    probe::Outcome,
    runtime::{Exit, SandboxId, TakenOver},
};

/// How long a status may wait for the next one to overtake it: a start is told once, when it is over.
const STATUS_DELAY: Duration = Duration::from_millis(20);

/// One pod's worker.
pub(super) struct Worker {
    shared: Arc<Shared>,
    pod: Arc<Pod>,
    updates: watch::Receiver<Arc<Pod>>,
    sandbox: SandboxId,
    address: Option<Ipv4Addr>,
    has_sandbox: bool,
    prepared: Option<Arc<Prepared>>,
    volumes: Turns,
    records: Vec<Record>,
    /// Which containers have a start, a wait or a restart under way.
    pending: Vec<bool>,
    happenings: FuturesUnordered<BoxFuture<'static, Happening>>,
    /// What the runtime does not honour.
    left_out: BTreeSet<&'static str>,
    /// Why the pod failed as a whole; nothing of it runs any more.
    failed: Option<Failed>,
    /// Why it cannot run on this node.
    unplaced: Option<String>,
    published: Option<PodStatus>,
    publish_at: Option<Instant>,
    seen_at: Instant,
    times: Times,
    prepare_failures: u32,
    /// What an earlier run of the node has left of the pod, before this one goes on with it.
    kept: Option<take_over::Kept>,
    /// To be told with the next status, or later.
    news: Vec<News>,
    ordinary_news: OrdinaryNews,
    /// The last warning of each container and reason, and when it was told.
    warnings: Vec<(News, Instant)>,
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
    /// What the pod's containers share is there, but for the sandbox, which has been asked for.
    Prepared(Result<(Prepared, Option<Seen>), image::Failure>),
    Sandboxed(Result<Option<Seen>, image::Failure>),
    PrepareAgain,
    /// The node has become one that the pod can run on.
    Fits,
    /// The pod failed as a whole.
    Failed(Failed),
    Started {
        index: usize,
        outcome: Result<Run, image::Failure>,
    },
    Exited {
        index: usize,
        run: u32,
        exit: Exit,
        message: String,
    },
    Probed {
        index: usize,
        round: u32,
        probe: usize,
        outcome: Outcome,
    },
    /// What was to be done when a container had been started is done.
    PostStarted {
        index: usize,
        round: u32,
        outcome: Result<(), String>,
    },
    Due {
        index: usize,
    },
    /// The pod has been there for a while.
    Settled,
    /// Something is done that nothing follows from.
    Nothing,
}

/// Work that nothing follows from. It must end: what does not stays with the worker for as long as the pod runs.
fn aside(work: impl Future<Output = ()> + Send + 'static) -> BoxFuture<'static, Happening> {
    Box::pin(async move {
        work.await;
        Happening::Nothing
    })
}

impl Worker {
    /// A worker of the pod that `updates` has now, and of what an earlier run of the node has left of it.
    pub(super) fn new(
        shared: Arc<Shared>,
        mut updates: watch::Receiver<Arc<Pod>>,
        taken: Option<TakenOver>,
    ) -> Self {
        let pod = Arc::clone(&updates.borrow_and_update());
        let now = take_over::Now { time: (shared.clock)(), instant: Instant::now() };
        let kept = taken.and_then(|taken| {
            let addresses = taken.addresses.clone();
            let kept = take_over::Kept::of(&pod, taken);
            if kept.is_none() {
                // The sandbox is removed when the pod's own is made.
                unclaimed::give_back(&shared.addresses, &addresses);
            }
            kept
        });
        let records = take_over::records(&pod, kept.as_ref(), now);
        Self {
            sandbox: SandboxId::from(pod.uid().to_owned()),
            address: None,
            has_sandbox: false,
            prepared: None,
            volumes: Turns::default(),
            pending: vec![false; records.len()],
            ordinary_news: OrdinaryNews::of(&records),
            records,
            happenings: FuturesUnordered::new(),
            left_out: BTreeSet::new(),
            failed: None,
            unplaced: None,
            published: None,
            publish_at: None,
            seen_at: Instant::now(),
            times: Times::default(),
            prepare_failures: 0,
            kept,
            news: Vec::new(),
            warnings: Vec::new(),
            shared,
            pod,
            updates,
        }
    }

    pub(super) async fn run(mut self) {
        if let Some(kept) = self.kept.take() {
            self.go_on(kept);
        }
        let ending = if self.pod.is_deleting() {
            Ending::Deleted
        } else {
            if self.prepared.is_some() {
                self.limit_time();
                self.limit_volumes();
                self.renew_volumes(None);
                self.advance();
                self.publish().await;
            } else {
                if take_over::is_outdated(self.pod.status.as_ref()) {
                    // That was before the node was restarted: nobody may go on to believe it.
                    self.publish().await;
                }
                self.begin().await;
            }
            self.live().await
        };
        self.end(ending).await;
    }

    /// Prepares the pod, if it may run here.
    async fn begin(&mut self) {
        let (shared, pod) = (Arc::clone(&self.shared), Arc::clone(&self.pod));
        let (node, allocatable) = (shared.options.node.clone(), shared.options.allocatable);
        self.unplaced = fit::obstacle_here(&shared.client, &node, &pod, allocatable).await;
        let Some(why) = self.unplaced.clone() else {
            if !take_over::was_placed(pod.status.as_ref()) {
                self.inform(None, "Scheduled", format!("Successfully assigned {} to {node}", pod.key()));
            }
            self.settle_later();
            self.limit_time();
            return self.prepare();
        };
        self.warn(None, "FailedScheduling", why);
        self.publish().await;
        self.happenings.push(Box::pin(async move {
            fit::wait(shared.client.clone(), node, &pod, allocatable).await;
            Happening::Fits
        }));
    }

    /// Returns when the pod is to end, and why.
    async fn live(&mut self) -> Ending {
        let stop = self.shared.stop.clone();
        loop {
            let publish_at = self.publish_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                Some(happening) = self.happenings.next() => self.take(happening).await,
                changed = self.updates.changed() => {
                    if changed.is_err() {
                        return Ending::Gone;
                    }
                    self.pod = Arc::clone(&self.updates.borrow_and_update());
                    if self.pod.is_deleting() {
                        return Ending::Deleted;
                    }
                }
                () = stop.cancelled() => return Ending::NodeStops,
                () = sleep_until(publish_at), if self.publish_at.is_some() => self.publish().await,
            }
        }
    }

    async fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Prepared(Ok((prepared, shown))) => {
                self.address = Some(prepared.address);
                self.prepared = Some(Arc::new(prepared));
                self.make_sandbox(shown);
                // Asked for behind it.
                self.advance();
                return;
            }
            Happening::Sandboxed(Ok(shown)) => {
                self.has_sandbox = true;
                self.times.sandbox = self.seen_at.elapsed();
                self.limit_volumes();
                self.renew_volumes(shown);
                return;
            }
            Happening::Prepared(Err(failure)) | Happening::Sandboxed(Err(failure)) => {
                self.not_prepared(failure);
            }
            Happening::PrepareAgain => return self.prepare(),
            Happening::Fits => return self.begin().await,
            Happening::Settled => return self.settle(),
            Happening::Nothing => return,
            Happening::Failed(failed) => return self.fail(failed).await,
            Happening::Started { index, outcome: Ok(run) } => {
                self.started(index, run);
                self.advance();
                // Told with what follows, unless that takes its time.
                self.publish_at.get_or_insert_with(|| Instant::now() + STATUS_DELAY);
                return;
            }
            Happening::Started { index, outcome: Err(_) } if self.prepared.is_none() => {
                self.pending[index] = false;
                return;
            }
            Happening::Started { index, outcome: Err(failure) } => self.not_started(index, failure),
            Happening::Exited { index, run, exit, message } => self.exited(index, run, exit, message),
            Happening::Probed { index, round, probe, outcome } => {
                if !self.probed(index, round, probe, outcome) {
                    return;
                }
            }
            Happening::PostStarted { index, round, outcome } => {
                if !self.post_started(index, round, outcome) {
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
        if self.failed.is_some() || matches!(status::phase(&self.pod, &self.records), "Succeeded" | "Failed")
        {
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
                if self.records[index].begin() {
                    // Who waits for the pod need not give up meanwhile. A try that fails at once is not told of.
                    self.publish_at.get_or_insert_with(|| Instant::now() + STATUS_DELAY);
                }
                let start = start::start(
                    Arc::clone(&self.shared),
                    Arc::clone(&self.pod),
                    self.records[index].spec.clone(),
                    self.records[index].next_run(),
                    Arc::clone(&prepared),
                );
                self.happenings
                    .push(Box::pin(async move { Happening::Started { index, outcome: start.await } }));
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(address) = self.address.take() {
            self.shared.addresses.give_back(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_nothing_follows_from_does_not_stay_with_the_worker() {
        let mut happenings = FuturesUnordered::new();
        happenings.push(aside(async {}));
        let happening = timeout(Duration::from_secs(5), happenings.next()).await;
        assert!(matches!(happening, Ok(Some(Happening::Nothing))));
        assert!(happenings.is_empty());
    }
}
