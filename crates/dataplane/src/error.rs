//! Why a request got no answer from an instance.

use std::io;
use std::time::Duration;

use resources::ObjectKey;

use crate::RevisionKey;

/// Why a request failed. It becomes a response in `gateway/rescue`, and nowhere else.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request names no host, or one that cannot be.
    #[error("the request has no usable Host header")]
    BadHost,
    #[error(
        "no service answers for host {host:?} here; `kubectl get routes -A` lists the hosts that are served"
    )]
    UnknownHost { host: String },
    /// Its Route is there and has not been ready yet: a first Revision that does not come up, most often.
    #[error(
        "service {0} in namespace {1} is not ready yet; `ebb service describe {0} -n {1}` says why (or `kubectl get \
         ksvc,revisions -n {1}`)",
        route.name, route.namespace
    )]
    NotReady { route: ObjectKey },
    #[error("host {host:?} has no route for this path")]
    UnknownPath { host: String },
    /// Its route is known; it was not told yet, or is gone already.
    #[error("revision {revision} is not known to the gateway")]
    UnknownRevision { revision: RevisionKey },
    #[error("the route of host {host:?} rewrites the host more often than {limit} times")]
    RewriteLoop { host: String, limit: usize },
    #[error("a probe needs the header {expected}")]
    BadProbe { expected: &'static str },
    /// The listener takes nothing new.
    #[error("shutting down")]
    Draining,
    /// Every slot of every instance is taken, and so is every place in the queue.
    #[error("pending request queue full")]
    QueueFull { limit: usize },
    #[error("{kind}")]
    Timeout { kind: TimeoutKind, after: Duration },
    /// No connection could be made, so the instance saw nothing of the request.
    #[error("cannot connect to instance {instance}")]
    Connect { instance: String, source: io::Error },
    /// The connection closed before anything of the request was sent.
    #[error("instance {instance} closed the connection before the request was sent")]
    Unsent { instance: String, source: hyper::Error },
    /// The instance may have seen the request and did not answer it.
    #[error("instance {instance} closed the connection without an answer")]
    Broken { instance: String, source: hyper::Error },
}

/// Which of a revision's timeouts passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// timeoutSeconds.
    Total,
    /// responseStartTimeoutSeconds.
    ResponseStart,
    /// idleTimeoutSeconds.
    Idle,
}

impl std::fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Total => "request timeout",
            Self::ResponseStart => "response start timeout",
            Self::Idle => "idle timeout",
        })
    }
}

/// On whose side a failure lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Gateway,
    Instance,
}

/// Whether another attempt is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The instance may have acted on the request, or another attempt would fail the same.
    Never,
    /// Nothing was sent.
    Safe,
}

impl Error {
    /// On whose side the failure lies.
    pub fn side(&self) -> Side {
        match self {
            Self::BadHost | Self::UnknownHost { .. } | Self::UnknownPath { .. } | Self::BadProbe { .. } => {
                Side::Client
            }
            Self::UnknownRevision { .. }
            | Self::NotReady { .. }
            | Self::RewriteLoop { .. }
            | Self::QueueFull { .. }
            | Self::Draining => Side::Gateway,
            Self::Timeout { .. } | Self::Connect { .. } | Self::Unsent { .. } | Self::Broken { .. } => {
                Side::Instance
            }
        }
    }

    /// Whether another attempt is safe.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Connect { .. } | Self::Unsent { .. } => Retry::Safe,
            _ => Retry::Never,
        }
    }
}
