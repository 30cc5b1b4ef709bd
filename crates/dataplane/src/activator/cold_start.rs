//! Where the time of a cold start went.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderValue, Response};
use tokio::time::Instant;

use super::arrive::Arrived;
use crate::body::Body;
use crate::headers::SERVER_TIMING;
use crate::step::Step;
use crate::{Error, StartTimes};

/// A request that waited for a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdStart {
    /// When the request arrived.
    pub at: Instant,
    /// The pod that took the request.
    pub uid: String,
    /// From the request's arrival until it had a slot: all of the start.
    pub queue: Duration,
    /// The parts of the start, where known.
    pub parts: Option<StartTimes>,
    /// Connecting to the instance, after the queue.
    pub connect: Duration,
}

impl ColdStart {
    /// As the value of a `Server-Timing` header, in milliseconds.
    fn server_timing(&self) -> String {
        let mut text = String::new();
        let mut part = |name: &str, took: Duration| {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{name};dur={:.3}", took.as_secs_f64() * 1000.0);
        };
        part("queue", self.queue);
        if let Some(StartTimes { schedule, sandbox, start }) = self.parts {
            part("schedule", schedule);
            part("sandbox", sandbox);
            part("start", start);
        }
        part("connect", self.connect);
        text
    }
}

/// Says in the response how long its request waited for a start, and remembers it.
pub(crate) struct Timing<S> {
    pub(crate) inner: S,
}

impl<S> Step<Box<Arrived>> for Timing<S>
where
    S: Step<Box<Arrived>, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, arrived: Box<Arrived>) -> Result<Response<Body>, Error> {
        let mut response = self.inner.call(arrived).await?;
        if let Some(start) = response.body().visit().and_then(cold_start) {
            let value = HeaderValue::try_from(start.server_timing());
            if let (Ok(value), Some(visit)) = (value, response.body().visit()) {
                let revision = visit.revision();
                let context = revision.context();
                context.cold_starts.add(revision.key(), start, &context.limits);
                response.headers_mut().append(SERVER_TIMING, value);
            }
        }
        Ok(response)
    }
}

fn cold_start(visit: &super::Visit) -> Option<ColdStart> {
    let wait = visit.wait()?;
    let uid = &visit.slot().instance().uid;
    let at = visit.arrived();
    let parts = visit.revision().context().seams.starts.of(uid, at);
    Some(ColdStart { at, uid: uid.clone(), queue: wait.queue, parts, connect: wait.connect })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header() {
        let ms = Duration::from_millis;
        let at = Instant::now();
        let mut start =
            ColdStart { at, uid: "u".into(), queue: ms(12), parts: None, connect: Duration::from_micros(85) };
        assert_eq!(start.server_timing(), "queue;dur=12.000, connect;dur=0.085");
        start.parts = Some(StartTimes { schedule: ms(1), sandbox: ms(2), start: ms(9) });
        assert_eq!(
            start.server_timing(),
            "queue;dur=12.000, schedule;dur=1.000, sandbox;dur=2.000, start;dur=9.000, connect;dur=0.085"
        );
    }
}
