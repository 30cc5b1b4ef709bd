//! One worker for each pod, and a place for each worker.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use resources::{Object, builtin::Pod};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::timeout,
};

use super::{
    kubelet::Shared,
    remains,
    worker::{Worker, take_back},
};

/// How long a pod rests whose worker ended by a fault of its own.
const FAULT_REST: Duration = Duration::from_secs(5);

/// The workers of a kubelet.
pub(super) struct Workers {
    shared: Arc<Shared>,
    /// Where each worker hears of its pod; one that is not in here ends.
    pods: HashMap<String, watch::Sender<Arc<Pod>>>,
    tasks: JoinSet<()>,
    uids: HashMap<Id, String>,
    /// Pods without a place, in the order in which they came.
    waiting: Vec<Arc<Pod>>,
    /// Pods that had ended for good when they were first seen: they need no worker, but what they wrote is there.
    over: HashSet<String>,
}

impl Workers {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            pods: HashMap::new(),
            tasks: JoinSet::new(),
            uids: HashMap::new(),
            waiting: Vec::new(),
            over: HashSet::new(),
        }
    }

    /// Tells a pod's worker what the pod is now, or gives it one.
    pub(super) fn apply(&mut self, pod: Arc<Pod>) {
        if let Some(known) = self.pods.get(pod.uid()) {
            known.send_replace(pod);
            return;
        }
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        let is_over = matches!(phase, "Succeeded" | "Failed");
        // One that is only to be deleted takes no place, and one that runs has its place already.
        let has_place = pod.is_deleting() || self.shared.taken_over.has(pod.uid());
        let is_full = self.tasks.len() >= self.shared.options.pods_max && !has_place;
        let place = self.waiting.iter().position(|waiting| waiting.uid() == pod.uid());
        match place {
            Some(place) if is_full && !is_over => self.waiting[place] = pod,
            None if is_full && !is_over => {
                let max = self.shared.options.pods_max;
                tracing::warn!(pod = %pod.key(), max, "too many pods; this one waits for another to end");
                tokio::spawn(take_back(Arc::clone(&self.shared), Arc::clone(&pod)));
                self.waiting.push(pod);
            }
            _ => {
                if let Some(place) = place {
                    self.waiting.remove(place);
                }
                if !is_over || pod.is_deleting() {
                    self.spawn(pod, Duration::ZERO);
                } else {
                    self.over.insert(pod.uid().to_owned());
                }
            }
        }
    }

    /// The pod is gone: its worker ends, or what a pod without one has left is removed.
    pub(super) fn delete(&mut self, pod: &Arc<Pod>) {
        let uid = pod.uid();
        self.pods.remove(uid);
        self.waiting.retain(|waiting| waiting.uid() != uid);
        if self.over.remove(uid) {
            let (shared, pod) = (Arc::clone(&self.shared), Arc::clone(pod));
            tokio::spawn(async move {
                let attempt = || remains::remove_files(&shared, &pod);
                let told = |why: &str| {
                    tracing::warn!(pod = %pod.key(), why, "could not remove all that a pod wrote; trying again");
                };
                remains::until_gone(attempt, &shared.stop, told).await;
            });
        }
    }

    /// As [`Workers::delete`] for all pods that are not `known`.
    pub(super) fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.pods.retain(|uid, _| known(uid));
        self.waiting.retain(|pod| known(pod.uid()));
        self.over.retain(|uid| known(uid));
    }

    /// Takes in the end of a worker; for ever when there is none.
    pub(super) async fn ended(&mut self) {
        let (id, fault) = match self.tasks.join_next_with_id().await {
            None => return std::future::pending().await,
            Some(Ok((id, ()))) => (id, false),
            Some(Err(error)) => {
                tracing::error!(%error, "a pod's worker ended by a fault of its own; it is started again");
                (error.id(), error.is_panic())
            }
        };
        let pod = self.uids.remove(&id).and_then(|uid| self.pods.remove(&uid));
        if let Some(pod) = pod.filter(|_| fault) {
            let pod = Arc::clone(&pod.borrow());
            self.spawn(pod, FAULT_REST);
        }
        if self.tasks.len() < self.shared.options.pods_max && !self.waiting.is_empty() {
            let next = self.waiting.remove(0);
            self.spawn(next, Duration::ZERO);
        }
    }

    /// Waits until all have ended.
    pub(super) async fn join(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn spawn(&mut self, pod: Arc<Pod>, rest: Duration) {
        let uid = pod.uid().to_owned();
        let (sender, updates) = watch::channel(pod);
        self.pods.insert(uid.clone(), sender);
        let shared = Arc::clone(&self.shared);
        // Claimed before anything else happens: what nobody has claimed is removed.
        let taken = shared.taken_over.claim(&uid);
        let task = self.tasks.spawn(async move {
            if !rest.is_zero() {
                let _stopped = timeout(rest, shared.stop.cancelled()).await;
            }
            Worker::new(shared, updates, taken).run().await;
        });
        self.uids.insert(task.id(), uid);
    }
}
