//! ReplicaSet → Pods.

mod failure;

use std::{cmp::Reverse, sync::Arc, time::Duration};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use objects::{Action, Error, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{Pod, ReplicaSet, ReplicaSetStatus},
    meta::ObjectMeta,
};

pub(super) use self::failure::REPLICA_FAILURE;
use super::{Context, events::News, pods};
use crate::serving::child::controlled_by;

/// Pods made or deleted in one call; the rest follows in the next (upstream: kubernetes, BurstReplicas).
const BURST_MAX: usize = 500;

pub(super) struct Reconciler {
    pub(super) context: Context,
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(set) = client.find::<ReplicaSet>(key).await? else { return Ok(Action::Wait) };
        let options = ListOptions::namespace(set.namespace()).owned_by(set.uid());
        let all = client.list::<Pod>(&options).await?.items;
        let terminating = all.iter().filter(|pod| pod.is_deleting()).count();
        let live: Vec<_> = all.into_iter().filter(|pod| !pods::is_over(pod)).collect();

        let replicas = usize::try_from(wanted(&set)).unwrap_or(0);
        let mut failed = None;
        if !set.is_deleting() {
            if live.len() < replicas {
                failed = self.create(&set, (replicas - live.len()).min(BURST_MAX)).await;
            } else {
                let surplus = (live.len() - replicas).min(BURST_MAX);
                self.delete(&set, &victims(&live, surplus)).await?;
            }
        }

        let mut status = status(&set, &live, terminating, &self.context);
        let (pods, now) = (name_prefix(&set), self.context.now());
        status.conditions = failure::conditions(status.conditions, failed.as_ref(), &pods, &now);
        client
            .modify::<ReplicaSet>(WriteTarget::Status, key, |set| set.status = Some(status.clone()))
            .await
            .map(drop)
            .or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })?;
        if let Some(error) = failed {
            // Comes back after a growing wait.
            return Err(error);
        }
        Ok(next_available(&set, &live, self.context.now().0).map_or(Action::Wait, Action::After))
    }
}

impl Reconciler {
    /// Makes so many pods, as far as that goes, and tells of each; the first failure. One is made first, and then each time
    /// twice as many: what refuses one of them refuses the others, too (upstream: kubernetes, slowStartBatch).
    async fn create(&self, set: &ReplicaSet, count: usize) -> Option<Error> {
        let (client, template) = (&self.context.client, pod(set, &self.context.node));
        let (mut left, mut batch, mut failed) = (count, 1, None);
        while left > 0 && failed.is_none() {
            batch = batch.min(left);
            let creates = join_all((0..batch).map(|_| client.create(template.clone()))).await;
            let (created, failure) = divide(creates);
            self.tell_each(set, "SuccessfulCreate", "Created", &created);
            failed = failure;
            left -= batch;
            batch *= 2;
        }
        let news = failed.as_ref().and_then(|error| failure::news(error, &name_prefix(set)));
        if let Some(news) = news {
            self.context.tell(set, || news);
        }
        failed
    }

    /// Deletes pods, as far as that goes, and tells of each; the first failure.
    async fn delete(&self, set: &ReplicaSet, pods: &[Arc<Pod>]) -> Result<()> {
        let client = &self.context.client;
        let deletes = join_all(pods.iter().map(|pod| client.delete_exactly(&**pod))).await;
        let deletes = pods.iter().zip(deletes).map(|(pod, deleted)| deleted.map(|()| Arc::clone(pod)));
        let (deleted, failed) = divide(deletes);
        self.tell_each(set, "SuccessfulDelete", "Deleted", &deleted);
        failed.map_or(Ok(()), Err)
    }

    fn tell_each(&self, set: &ReplicaSet, reason: &'static str, done: &str, pods: &[Arc<Pod>]) {
        for pod in pods {
            self.context.tell(set, || News::normal(reason, format!("{done} pod: {}", pod.name())));
        }
    }
}

/// What went well, and the first failure.
fn divide<T>(outcomes: impl IntoIterator<Item = Result<T>>) -> (Vec<T>, Option<Error>) {
    let (mut well, mut failed) = (Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok(outcome) => well.push(outcome),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    (well, failed)
}

fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The next pod of a set. It is bound to the node at once: with one node there is nothing to choose.
fn pod(set: &ReplicaSet, node: &str) -> Pod {
    let template = set.spec.as_ref().and_then(|spec| spec.template.clone()).unwrap_or_default();
    let metadata = template.metadata.unwrap_or_default();
    let mut spec = template.spec.unwrap_or_default();
    spec.node_name.get_or_insert_with(|| node.to_owned());
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(name_prefix(set)),
            namespace: set.metadata.namespace.clone(),
            labels: metadata.labels,
            annotations: metadata.annotations,
            finalizers: metadata.finalizers,
            owner_references: Some(vec![controlled_by(set)]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    }
}

fn name_prefix(set: &ReplicaSet) -> String {
    format!("{}-", set.name())
}

/// Which pods to delete: those that serve least, the youngest first (upstream: kubernetes, ActivePodsWithRanks).
fn victims(pods: &[Arc<Pod>], count: usize) -> Vec<Arc<Pod>> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| {
        let running = pods::phase(pod) == "Running";
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (running, pods::is_ready(pod), Reverse(created), Reverse(pod.name().to_owned()))
    });
    pods.truncate(count);
    pods
}

fn status(set: &ReplicaSet, live: &[Arc<Pod>], terminating: usize, context: &Context) -> ReplicaSetStatus {
    let now = context.now().0;
    let min_ready = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let count =
        |wanted: &dyn Fn(&Pod) -> bool| pods::count(live.iter().filter(|pod| wanted(pod)).count() as i32);
    let before = set.status.clone().unwrap_or_default();
    ReplicaSetStatus {
        replicas: live.len() as i32,
        fully_labeled_replicas: pods::count(live.len() as i32),
        ready_replicas: count(&pods::is_ready),
        available_replicas: count(&|pod| pods::is_available(pod, min_ready, now)),
        // Who recreates waits for the last of them.
        terminating_replicas: (terminating > 0).then_some(terminating as i32),
        observed_generation: set.metadata.generation,
        ..before
    }
}

/// When the next pod will have been ready for `minReadySeconds`, of which no object tells.
fn next_available(set: &ReplicaSet, live: &[Arc<Pod>], now: Timestamp) -> Option<Duration> {
    let seconds = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let left = |pod: &Arc<Pod>| {
        let since = pods::condition(pod, "Ready")
            .filter(|ready| ready.status == "True")?
            .last_transition_time
            .as_ref()?
            .0;
        let left = SignedDuration::from_secs(seconds.into()) - now.duration_since(since);
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    };
    live.iter().filter_map(left).min()
}

#[cfg(test)]
mod tests;
