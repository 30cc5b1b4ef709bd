//! The revision's three timeouts, around everything that happens to a request from its arrival on.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use hyper::body::Body as _;
use tokio::time::Instant;

use crate::activator::Arrived;
use crate::body::Body;
use crate::step::Step;
use crate::{Error, RevisionConfig, TimeoutKind};

/// Answers 504 when the response has not begun in time, and has it watched from then on.
pub(crate) struct Timeout<S> {
    pub(crate) inner: S,
}

impl<S> Step<Box<Arrived>> for Timeout<S>
where
    S: Step<Box<Arrived>, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, arrived: Box<Arrived>) -> Result<Response<Body>, Error> {
        let (config, arrival) = (*arrived.visit.config(), arrived.visit.arrived());
        let connection = Arc::clone(&arrived.connection);
        let (kind, after) = first_of(&config);
        // Pinned, since all the layers further in are a large thing to move.
        let answer = pin!(self.inner.call(arrived));
        let response = match after {
            Some(after) => match tokio::time::timeout_at(arrival + after, answer).await {
                Ok(response) => response?,
                Err(_) => return Err(Error::Timeout { kind, after }),
            },
            None => answer.await?,
        };
        Ok(response.map(|body| match body.is_end_stream() {
            true => body,
            false => body.watched(connection.watch(ResponseTimeouts::new(&config, arrival))),
        }))
    }
}

/// The timeout that passes first while nothing has been written.
fn first_of(config: &RevisionConfig) -> (TimeoutKind, Option<Duration>) {
    let limits = [
        (TimeoutKind::Total, config.timeout),
        (TimeoutKind::ResponseStart, config.response_start_timeout),
        (TimeoutKind::Idle, config.idle_timeout),
    ];
    let set = limits.into_iter().filter(|(_, limit)| !limit.is_zero());
    match set.min_by_key(|&(_, limit)| limit) {
        Some((kind, limit)) => (kind, Some(limit)),
        None => (TimeoutKind::Total, None),
    }
}

/// The timeouts of a response that has begun: the total, and the idle time between two frames. Pure; whoever carries
/// the response looks after it ([`Connection::watch`](crate::gateway::Connection::watch)).
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseTimeouts {
    end: Option<(Instant, Duration)>,
    idle: Duration,
    progress: Instant,
}

impl ResponseTimeouts {
    fn new(config: &RevisionConfig, arrival: Instant) -> Self {
        let end = (!config.timeout.is_zero()).then(|| (arrival + config.timeout, config.timeout));
        // Without an idle timeout nobody looks at the progress.
        let progress = if config.idle_timeout.is_zero() { arrival } else { Instant::now() };
        Self { end, idle: config.idle_timeout, progress }
    }

    pub(crate) fn has_idle(&self) -> bool {
        !self.idle.is_zero()
    }

    pub(crate) fn progressed(&mut self, now: Instant) {
        self.progress = now;
    }

    /// The timeout that passes first from now on, and when.
    pub(crate) fn next(&self) -> Option<(Instant, TimedOut)> {
        let total =
            self.end.map(|(deadline, after)| (deadline, TimedOut { kind: TimeoutKind::Total, after }));
        let idle = TimedOut { kind: TimeoutKind::Idle, after: self.idle };
        let idle = self.has_idle().then(|| (self.progress + self.idle, idle));
        total.into_iter().chain(idle).min_by_key(|&(deadline, _)| deadline)
    }
}

/// A timeout that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut {
    pub(crate) kind: TimeoutKind,
    pub(crate) after: Duration,
}
