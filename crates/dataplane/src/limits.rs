use std::time::Duration;

/// Every bound of the request path, each with its default.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Header fields of a request; beyond it 431.
    pub headers_max: usize,
    /// Bytes of a request's head; beyond it 431.
    pub head_bytes_max: usize,
    /// How long a client's connection may be without a request, or take to send a request's head.
    pub client_idle_max: Duration,
    /// Connections per listener; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// Concurrent HTTP/2 streams per connection.
    pub streams_max: u32,
    /// Requests waiting per revision without containerConcurrency; beyond it 503.
    pub queue_max: usize,
    /// Requests waiting per revision with containerConcurrency, as a multiple of it; beyond it 503.
    pub queue_factor: usize,
    /// Connections kept open per instance while unused.
    pub idle_connections_max: usize,
    /// How long an unused connection to an instance is trusted.
    pub idle_connection_age: Duration,
    /// How long one connection attempt may take.
    pub connect_max: Duration,
    /// Attempts to hand one request to an instance while none of it was sent.
    pub attempts_max: u32,
    /// The pause before the second attempt on one instance; it grows by 1.4 each time.
    pub retry_pause: Duration,
    /// How long a request waits for a revision that its route names and the data plane was not told of; then 503.
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
            client_idle_max: Duration::from_secs(120),
            connections_max: 16_384,
            streams_max: 250,
            queue_max: 10_000,
            queue_factor: 10,
            idle_connections_max: 128,
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
