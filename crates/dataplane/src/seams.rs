//! What the data plane needs from outside, as traits that other crates implement.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{Instance, RevisionStat};

/// Opens connections to instances: by address, or from inside the pod's network namespace.
pub trait Dial: Send + Sync + 'static {
    fn dial<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, io::Result<TcpStream>>;
}

/// Takes load reports, for the autoscaler.
pub trait StatSink: Send + Sync + 'static {
    /// Called every second with each revision that had traffic, and at once for a request that found no instance. It must
    /// not block.
    fn report(&self, stats: &[RevisionStat]);
}

/// How long the parts of an instance's start took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartTimes {
    /// From the wish for an instance to its pod's arrival at the node.
    pub schedule: Duration,
    /// Network and mounts.
    pub sandbox: Duration,
    /// The container, until ready.
    pub start: Duration,
}

/// Knows how long instances took to start.
pub trait StartTimesOf: Send + Sync + 'static {
    /// The times of the pod with this uid, if they are known. `wished` is when a request asked for an instance.
    fn of(&self, uid: &str, wished: Instant) -> Option<StartTimes>;
}

/// The three together.
#[derive(Clone)]
pub struct Seams {
    pub dial: Arc<dyn Dial>,
    pub stats: Arc<dyn StatSink>,
    pub starts: Arc<dyn StartTimesOf>,
}

/// Dials instances at their addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct DialTcp;

impl Dial for DialTcp {
    fn dial<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(instance.socket()))
    }
}
