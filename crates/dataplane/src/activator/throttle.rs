//! The layer in which requests wait for an instance with room.

use std::sync::Arc;

use http::Response;

use super::arrive::Arrived;
use crate::body::Body;
use crate::queue::{Failure, Member};
use crate::step::Step;

/// A request on its way to an instance, for the first time or again.
pub(crate) struct Attempt {
    pub(super) arrived: Box<Arrived>,
    /// The instance that the last attempt failed on.
    pub(super) avoid: Option<Arc<Member>>,
}

/// Holds a request until an instance of its revision has room for it.
pub(crate) struct Throttle<S> {
    pub(crate) inner: S,
}

impl<S> Step<Attempt> for Throttle<S>
where
    S: Step<Box<Arrived>, Output = Response<Body>, Error = Failure>,
{
    type Output = Response<Body>;
    type Error = Failure;

    async fn call(&self, attempt: Attempt) -> Result<Response<Body>, Failure> {
        let Attempt { mut arrived, avoid } = attempt;
        arrived.visit.admit(avoid.as_ref()).await?;
        drop(avoid);
        self.inner.call(arrived).await
    }
}
