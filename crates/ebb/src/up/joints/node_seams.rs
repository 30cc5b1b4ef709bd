//! The data plane and the node: connections into pods, drained pods, start times; and load for the autoscaler.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use controllers::serving::{self, StatsHandle};
use dataplane::{Dial, Handle, Instance, RevisionStat, StartTimes, StartTimesOf, StatSink};
use futures::future::BoxFuture;
use node::{
    Drain, StartRecords,
    runtime::{SandboxId, SharedRuntime},
};
use resources::{Object, ObjectKey, builtin::Pod, labels};
use tokio::{net::TcpStream, time::Instant};

/// What the next daemon has for a uid. Those of pods are longer.
const NEXT_DAEMON: &str = "next";

/// The next daemon as an instance, by the address of the gateways: who connects there waits until it accepts.
pub(in crate::up) fn next_daemon(http: SocketAddr) -> Instance {
    let address = match http.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let pod = ObjectKey::cluster("the next `ebb up`");
    Instance { pod, uid: NEXT_DAEMON.to_owned(), address, port: http.port() }
}

/// Connects from inside the pod's network namespace.
pub(in crate::up) struct DialNode(pub(in crate::up) SharedRuntime);

impl Dial for DialNode {
    fn dial<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(async move {
            if instance.uid == NEXT_DAEMON {
                return TcpStream::connect(instance.socket()).await;
            }
            self.0.dial(&SandboxId::from(instance.uid.as_str()), instance.port).await
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_daemon_is_reached_from_this_machine() {
        for (gateway, reached) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("192.0.2.7:80", "192.0.2.7:80"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
        ] {
            assert_eq!(next_daemon(gateway.parse().unwrap()).socket().to_string(), reached, "{gateway}");
        }
    }
}
