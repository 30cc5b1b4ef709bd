//! The data plane and the node: connections into pods, drained pods, start times; and load for the autoscaler.

use std::{io, sync::Arc};

use controllers::serving::{self, StatsHandle};
use dataplane::{Dial, Handle, Instance, RevisionStat, StartTimes, StartTimesOf, StatSink};
use futures::future::BoxFuture;
use node::{
    Drain, StartRecords,
    runtime::{SandboxId, SharedRuntime},
};
use resources::{Object, ObjectKey, builtin::Pod, labels};
use tokio::{net::TcpStream, time::Instant};

/// Connects from inside the pod's network namespace.
pub(in crate::up) struct DialNode(pub(in crate::up) SharedRuntime);

impl Dial for DialNode {
    fn dial<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(async move { self.0.dial(&SandboxId::from(instance.uid.as_str()), instance.port).await })
    }
}

/// Waits until the data plane has nothing in hand for a pod.
pub(in crate::up) struct DrainPods(pub(in crate::up) Handle);

impl Drain for DrainPods {
    fn drain(&self, pod: &Pod) -> BoxFuture<'static, ()> {
        let Some(revision) = pod.label(labels::REVISION) else { return Box::pin(std::future::ready(())) };
        let (handle, uid) = (self.0.clone(), pod.uid().to_owned());
        let revision = ObjectKey::new(pod.namespace(), revision);
        Box::pin(async move { handle.drain_instance(&revision, &uid).await })
    }
}

/// What the node knows of starts.
pub(in crate::up) struct Starts(pub(in crate::up) Arc<StartRecords>);

impl StartTimesOf for Starts {
    fn of(&self, uid: &str, wished: Instant) -> Option<StartTimes> {
        let record = self.0.get(uid)?;
        let ready = record.ready_at.saturating_duration_since(record.seen_at);
        Some(StartTimes {
            schedule: record.seen_at.saturating_duration_since(wished),
            sandbox: record.sandbox,
            start: ready.saturating_sub(record.sandbox),
        })
    }
}

/// Hands load to the autoscaler.
pub(in crate::up) struct Stats(pub(in crate::up) StatsHandle);

impl StatSink for Stats {
    fn report(&self, stats: &[RevisionStat]) {
        let stats: Vec<_> = stats
            .iter()
            .map(|stat| serving::RevisionStat {
                revision: ObjectKey::clone(&stat.revision),
                concurrency: stat.average_concurrency,
                requests: stat.request_count,
            })
            .collect();
        self.0.report(&stats);
    }
}
