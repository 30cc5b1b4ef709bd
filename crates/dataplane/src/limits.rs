//! The bounds of the request path.

use std::time::Duration;

/// Every bound of the request path, each with its default.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Header fields of a request; beyond it 431.
    pub headers_max: usize,
    /// Bytes of a request's head; beyond it 431.
    pub head_bytes_max: usize,
    /// How long a client may take to send the head of a request: the first one from the beginning of its connection, in
    /// HTTP/1.1 each further one from its first byte.
    pub head_max: Duration,
    /// How long a client's connection may be without a request; it is closed up to a quarter later.
    pub client_idle_max: Duration,
    /// How long a client may leave what it is sent untaken, or not even acknowledged, before its connection is closed.
    pub client_stall_max: Duration,
    /// How long a client or an instance may be silent before it is asked whether it is still there.
    pub keep_alive: Duration,
    /// How long an upgraded connection (WebSocket) may be without a byte in either direction; it is closed up to a
    /// quarter later.
    pub tunnel_idle_max: Duration,
    /// Connections per listener, upgraded ones too; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// Connections per client address (of IPv6: network of 64 bits) and listener; more are closed at once. Half of all,
    /// since a proxy in front may be the only client.
    pub connections_per_client_max: usize,
    /// Concurrent HTTP/2 streams per connection.
    pub streams_max: u32,
    /// Requests waiting per revision without containerConcurrency; beyond it 503.
    pub queue_max: usize,
    /// Requests waiting per revision with containerConcurrency, as a multiple of it; beyond it 503.
    pub queue_factor: usize,
    /// Connections kept open per instance while unused.
    pub idle_connections_max: usize,
    /// Requests at once on one HTTP/2 connection to an instance; another connection is opened beyond it, or beyond what
    /// the instance allows.
    pub instance_streams_max: usize,
    /// How long an unused connection to an instance is trusted.
    pub idle_connection_age: Duration,
    /// How long one connection attempt may take.
    pub connect_max: Duration,
    /// Attempts to hand one request to an instance while none of it was sent.
    pub attempts_max: u32,
    /// The pause before the second attempt on one instance; it grows by 1.4 each time.
    pub retry_pause: Duration,
    /// How long a request waits for a revision that its route names and the data plane does not know yet; then 503.
    pub unknown_revision_max: Duration,
    /// How often a request may be routed anew by `rewriteHost`.
    pub rewrites_max: usize,
    /// Cold starts remembered per revision, idle ones included.
    pub cold_starts_per_revision: usize,
    /// Cold starts remembered of all revisions together.
    pub cold_starts_max: usize,
    /// Drained instances remembered, of all revisions together, in case endpoints from before name them.
    pub drained_max: usize,
    /// How long requests in flight may take to finish once the listener drains: what a request has by default
    /// (upstream: serving, config-defaults `revision-timeout-seconds`, which is also its pods' grace period).
    pub drain_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers_max: 100,
            head_bytes_max: 64 * 1024,
            head_max: Duration::from_secs(10),
            client_idle_max: Duration::from_secs(120),
            client_stall_max: Duration::from_secs(120),
            keep_alive: Duration::from_secs(30),
            tunnel_idle_max: Duration::from_secs(60 * 60),
            connections_max: 16_384,
            connections_per_client_max: 8_192,
            streams_max: 250,
            queue_max: 10_000,
            queue_factor: 10,
            idle_connections_max: 128,
            instance_streams_max: 100,
            idle_connection_age: Duration::from_secs(90),
            connect_max: Duration::from_secs(5),
            attempts_max: 15,
            retry_pause: Duration::from_millis(10),
            unknown_revision_max: Duration::from_secs(1),
            rewrites_max: 4,
            cold_starts_per_revision: 16,
            cold_starts_max: 1024,
            drained_max: 1024,
            drain_max: Duration::from_secs(300),
        }
    }
}

impl Limits {
    /// How many requests may wait for a revision with this containerConcurrency.
    pub(crate) fn queue(&self, container_concurrency: u32) -> usize {
        match container_concurrency {
            0 => self.queue_max,
            limit => self.queue_factor.saturating_mul(limit as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_as_long_as_upstreams() {
        let limits = Limits::default();
        for (container_concurrency, expect) in [(0, 10_000), (1, 10), (7, 70), (1000, 10_000)] {
            assert_eq!(limits.queue(container_concurrency), expect, "{container_concurrency}");
        }
    }
}
