//! Why a request got no answer from an instance.

use std::io;
use std::time::Duration;

use resources::ObjectKey;

use crate::{Instance, RevisionKey};

/// Why a request failed. It becomes a response in `gateway/rescue`, and nowhere else.
///
/// The message is one line, upstream's words where upstream has some; [`hint`](Self::hint) adds what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request names no host, or one that cannot be.
    #[error("the request has no usable Host header")]
    BadHost,
    #[error(
        "no service answers for host {host:?} here; `kubectl get routes -A` lists the hosts, `ebb route describe NAME` \
         those of tags"
    )]
    UnknownHost { host: String },
    /// The same whether or not there is such a service: nobody outside learns what is inside alone.
    #[error(
        "host {host:?} is for callers inside the cluster alone, and nothing calls from there in this release of Ebb; \
         `kubectl get ksvc -A` lists the URLs that are served, `ebb service update NAME --no-cluster-local` gives a \
         cluster-local service one of its own"
    )]
    InsideHost { host: String },
    /// Its Route is there and has not been ready yet: a first Revision that does not come up, most often.
    #[error(
        "service {0} in namespace {1} is not ready yet; `ebb service describe {0} -n {1}` says why (or `kubectl get \
         ksvc,revisions -n {1}`)",
        route.name, route.namespace
    )]
    NotReady { route: ObjectKey },
    #[error("host {host:?} has no route for this path")]
    UnknownPath { host: String },
    /// The gateway has its route and not the revision: it was not told of it yet, or the revision was deleted.
    #[error(
        "revision {revision} is not known to the gateway: it is new, or was deleted; retry, or look with `kubectl get \
         revision {} -n {}`",
        revision.name, revision.namespace
    )]
    UnknownRevision { revision: RevisionKey },
    /// It has no instance, and none can start before somebody has mended something. Callers are told the reason alone: what
    /// a node says more is for the service's owner.
    #[error("revision {} cannot start: {why}", revision.name)]
    CannotStart { revision: RevisionKey, why: &'static str },
    #[error("the route of host {host:?} rewrites the host more often than {limit} times")]
    RewriteLoop { host: String, limit: usize },
    #[error("a probe needs the header {expected}")]
    BadProbe { expected: &'static str },
    /// The listener takes nothing new.
    #[error("this Ebb is shutting down; retry in a second")]
    Draining,
    /// Every slot of every instance is taken, and so is every place in the queue.
    #[error("pending request queue full")]
    QueueFull { limit: usize },
    #[error("{kind}")]
    Timeout { kind: TimeoutKind, after: Duration },
    /// No connection could be made, so the instance saw nothing of the request.
    #[error("cannot connect to instance {instance}")]
    Connect { instance: Box<Instance>, source: io::Error },
    /// The connection closed before anything of the request was sent.
    #[error("instance {instance} closed the connection before the request was sent")]
    Unsent { instance: Box<Instance>, source: hyper::Error },
    /// The instance may have seen the request and did not answer it.
    #[error("instance {instance} closed the connection without an answer")]
    Broken { instance: Box<Instance>, source: hyper::Error },
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

impl TimeoutKind {
    /// The revision's field that sets it.
    fn field(self) -> &'static str {
        match self {
            Self::Total => "timeoutSeconds",
            Self::ResponseStart => "responseStartTimeoutSeconds",
            Self::Idle => "idleTimeoutSeconds",
        }
    }
}

impl Error {
    /// Which limit was met, or what to do, where the message does not say it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadHost
            | Self::UnknownHost { .. }
            | Self::InsideHost { .. }
            | Self::NotReady { .. }
            | Self::BadProbe { .. }
            | Self::UnknownRevision { .. }
            | Self::Draining => return None,
            Self::UnknownPath { host } => {
                format!(
                    "`kubectl get ingresses.networking.internal.knative.dev -A -o yaml` has the paths of {host}"
                )
            }
            Self::RewriteLoop { .. } => {
                "two Ingresses point at each other with rewriteHost (DomainMappings do): remove one of them"
                    .into()
            }
            Self::CannotStart { revision, .. } => format!(
                "it is tried again; `kubectl describe revision {} -n {}` says more",
                revision.name, revision.namespace
            ),
            Self::QueueFull { limit } => format!(
                "{limit} requests wait for this revision already, which is the most; retry, or raise its \
                 containerConcurrency or autoscaling.knative.dev/max-scale"
            ),
            Self::Timeout { kind, after } => format!(
                "the revision's {} is {} s; raise it if the app needs longer",
                kind.field(),
                after.as_secs_f64()
            ),
            Self::Connect { instance, .. } => format!(
                "is the app listening on port {} of all addresses? `kubectl logs {} -n {}`",
                instance.port, instance.pod.name, instance.pod.namespace
            ),
            Self::Unsent { instance, .. } | Self::Broken { instance, .. } => format!(
                "the app may have crashed: `kubectl logs {} -n {}`",
                instance.pod.name, instance.pod.namespace
            ),
        })
    }

    /// On whose side the failure lies.
    pub fn side(&self) -> Side {
        match self {
            Self::BadHost
            | Self::UnknownHost { .. }
            | Self::InsideHost { .. }
            | Self::UnknownPath { .. }
            | Self::BadProbe { .. } => Side::Client,
            Self::UnknownRevision { .. }
            | Self::NotReady { .. }
            | Self::CannotStart { .. }
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
