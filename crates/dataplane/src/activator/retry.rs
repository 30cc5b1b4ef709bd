//! Another attempt for requests that no instance has answered, where that is safe.

use std::sync::Arc;

use http::Response;
use tokio::time::sleep;

use super::arrive::Arrived;
use super::throttle::Attempt;
use crate::body::Body;
use crate::queue::{Failure, Member};
use crate::step::Step;
use crate::{Error, Limits};

/// By how much each pause is longer than the last (upstream: serving, activator dial back-off).
const PAUSE_GROWTH: f64 = 1.4;

/// Tries again while it is safe, on another instance if there is one. Whether it is, [`Failure`] says: as long as nothing
/// of the request was sent, and once for one that is safe to repeat and met a connection at its end.
pub(crate) struct Retrying<S> {
    pub(crate) limits: Arc<Limits>,
    pub(crate) inner: S,
}

impl<S> Step<Box<Arrived>> for Retrying<S>
where
    S: Step<Attempt, Output = Response<Body>, Error = Failure>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, mut arrived: Box<Arrived>) -> Result<Response<Body>, Error> {
        let mut pause = self.limits.retry_pause;
        let mut avoid: Option<Arc<Member>> = None;
        for attempt in 1.. {
            let failure = match self.inner.call(Attempt { arrived, avoid: avoid.clone() }).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let Failure { error, again: Some(again) } = failure else { return Err(failure.error) };
            if attempt >= self.limits.attempts_max {
                return Err(error);
            }
            arrived = again;
            let failed = Arc::clone(arrived.visit.slot());
            arrived.visit.release();
            tracing::debug!(%error, attempt, "trying again");
            // A first failure may be this instance's end, of which the endpoints will tell: the others are tried at
            // once. Then it is worth waiting.
            if avoid.replace(failed).is_some() {
                sleep(pause).await;
                pause = pause.mul_f64(PAUSE_GROWTH);
            }
        }
        unreachable!("attempts are counted from one and end at the limit")
    }
}
