//! The revision's three timeouts, around everything that happens to a request from its arrival on.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activator::Arrived;
use crate::body::Body;
use crate::step::Step;
use crate::{Error, RevisionConfig, TimeoutKind};

/// Answers 504 when the response has not begun in time, and watches its body from then on.
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
        Ok(response.map(|body| body.watched(Watch::new(&config, arrival))))
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

/// The timeouts of a response that has begun: the total, and the idle time between two frames.
///
/// Frames only note the time. The timer is set when the body first has to wait, and when it fires it looks whether
/// there was progress meanwhile.
pub(crate) struct Watch {
    end: Option<(Instant, Duration)>,
    idle: Duration,
    progress: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    fn new(config: &RevisionConfig, arrival: Instant) -> Self {
        let end = (!config.timeout.is_zero()).then(|| (arrival + config.timeout, config.timeout));
        // Without an idle timeout nobody looks at the progress.
        let progress = if config.idle_timeout.is_zero() { arrival } else { Instant::now() };
        Self { end, idle: config.idle_timeout, progress, timer: None }
    }

    pub(crate) fn progressed(&mut self) {
        if !self.idle.is_zero() {
            self.progress = Instant::now();
        }
    }

    /// Ready when a timeout has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(TimeoutKind, Duration)> {
        loop {
            let Some((kind, limit, deadline)) = self.next() else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if deadline <= Instant::now() {
                return Poll::Ready((kind, limit));
            }
            timer.as_mut().reset(deadline);
        }
    }

    fn next(&self) -> Option<(TimeoutKind, Duration, Instant)> {
        let total = self.end.map(|(deadline, limit)| (TimeoutKind::Total, limit, deadline));
        let idle = (!self.idle.is_zero()).then(|| (TimeoutKind::Idle, self.idle, self.progress + self.idle));
        total.into_iter().chain(idle).min_by_key(|&(_, _, deadline)| deadline)
    }
}
