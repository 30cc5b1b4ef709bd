//! The layer that answers probes of the path.

use http::{HeaderValue, Response};

use super::route::Routed;
use crate::Error;
use crate::body::Body;
use crate::headers::{HASH, PROBE};
use crate::step::Step;

/// Stands for the hash of whatever version of the ingress the gateway serves.
const OVERRIDE: &str = "override";

/// Answers probes, which ask whether the path is there, not the application. They wake nothing.
///
/// `probe`: is this version of the ingress served? The hash is echoed. `activator`: would a request reach the
/// activator? It would, since it is in this process.
pub(crate) struct Probe<S> {
    pub(crate) inner: S,
}

impl<S> Step<Routed> for Probe<S>
where
    S: Step<Routed, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, routed: Routed) -> Result<Response<Body>, Error> {
        match routed.request.headers().get(PROBE).map(HeaderValue::as_bytes) {
            None => self.inner.call(routed).await,
            Some(b"probe") => echo(&routed),
            Some(b"activator") => Ok(Response::new(Body::text("activator"))),
            Some(_) => Err(Error::BadProbe { expected: "K-Network-Probe: probe or activator" }),
        }
    }
}

fn echo(routed: &Routed) -> Result<Response<Body>, Error> {
    let asked = routed.request.headers().get(HASH).ok_or(Error::BadProbe { expected: "K-Network-Hash" })?;
    let hash = if asked == OVERRIDE { &routed.target.hash } else { asked };
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(HASH, hash.clone());
    Ok(response)
}
