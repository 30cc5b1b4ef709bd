//! The first layer behind the route: a request is counted in at its revision.

use std::sync::Arc;

use http::{Request, Response};
use hyper::upgrade::OnUpgrade;

use super::revisions::Revisions;
use super::visit::Visit;
use crate::Error;
use crate::body::{Body, Outgoing};
use crate::gateway::{AsItCame, Connection, Forwarded};
use crate::step::Step;

/// A request that has reached its revision and counts there.
///
/// It is boxed on its way: it passes through many layers, comes back from failed attempts, and is large.
pub(crate) struct Arrived {
    pub(crate) visit: Visit,
    pub(crate) request: Request<Outgoing>,
    /// The client's side of a protocol switch, if it asked for one.
    pub(crate) upgrade: Option<OnUpgrade>,
    pub(crate) connection: Arc<Connection>,
    /// It went out before, and its connection closed without an answer. It is not sent a third time.
    pub(crate) repeated: bool,
    /// See [`Forwarded::came`].
    pub(crate) came: Option<Box<AsItCame>>,
}

impl Arrived {
    /// Makes the request as it came, for another gateway.
    pub(crate) fn put_back(&mut self) {
        if let Some(came) = &self.came {
            came.put_back(self.request.headers_mut());
        }
    }
}

/// Counts requests in at their revision, which tells the autoscaler.
pub(crate) struct Arrive<S> {
    pub(crate) revisions: Arc<Revisions>,
    pub(crate) inner: S,
}

impl<S> Step<Forwarded> for Arrive<S>
where
    S: Step<Box<Arrived>, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, forwarded: Forwarded) -> Result<Response<Body>, Error> {
        let Forwarded { revision, request, upgrade, connection, came } = forwarded;
        let revision = match self.revisions.activate(&revision) {
            Some(revision) => revision,
            // Boxed, since it is rare and every request would have to carry its size.
            None => Box::pin(self.revisions.await_known(&revision)).await?,
        };
        let visit = revision.enter();
        drop(revision);
        let arrived = Arrived { visit, request, upgrade, connection, repeated: false, came };
        self.inner.call(Box::new(arrived)).await
    }
}
