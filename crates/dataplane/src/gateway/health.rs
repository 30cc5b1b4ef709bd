//! The layer that answers kubelets' probes of the gateway.

use http::{HeaderMap, Request, Response, header};
use hyper::body::Incoming;

use crate::Error;
use crate::body::Body;
use crate::headers::KUBELET_PROBE;
use crate::stack::Inbound;
use crate::step::Step;

/// How a kubelet's user agent begins.
const KUBELET: &[u8] = b"kube-probe/";

/// Answers kubelets, who ask whether the gateway itself is well: 503 once it drains. No service is woken by them.
pub(crate) struct Health<S> {
    pub(crate) inner: S,
}

impl<S> Step<Inbound> for Health<S>
where
    S: Step<Inbound, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, inbound: Inbound) -> Result<Response<Body>, Error> {
        if !is_kubelet(&inbound.request) {
            return self.inner.call(inbound).await;
        }
        if inbound.connection.drain.is_cancelled() {
            return Err(Error::Draining);
        }
        Ok(Response::new(Body::empty()))
    }
}

fn is_kubelet(request: &Request<Incoming>) -> bool {
    let headers: &HeaderMap = request.headers();
    headers.get(header::USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(KUBELET))
        || headers.contains_key(KUBELET_PROBE)
}
