//! The configuration of a revision and its instances, as far as requests depend on it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use resources::ObjectKey;

/// A revision's namespace and name.
pub type RevisionKey = ObjectKey;

/// The protocol that an application speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS, by prior knowledge: the container port is named `h2c`.
    H2c,
}

/// The part of a revision's spec that affects its requests. A zero duration is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionConfig {
    /// containerConcurrency: requests that one instance may have at once; 0 is without limit.
    pub container_concurrency: u32,
    /// timeoutSeconds: from a request's arrival to the end of its response.
    pub timeout: Duration,
    /// responseStartTimeoutSeconds: to the response's head.
    pub response_start_timeout: Duration,
    /// idleTimeoutSeconds: between two parts of the response.
    pub idle_timeout: Duration,
    pub protocol: Protocol,
}

impl Default for RevisionConfig {
    fn default() -> Self {
        Self {
            container_concurrency: 0,
            timeout: Duration::from_secs(300),
            response_start_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            protocol: Protocol::Http1,
        }
    }
}

/// A running copy of a revision that takes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub pod: ObjectKey,
    /// The pod's uid: two instances are the same when their uids are.
    pub uid: String,
    pub address: IpAddr,
    /// The port of the user's container.
    pub port: u16,
}

impl Instance {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.pod, self.socket())
    }
}
