//! The request path as a list. Top to bottom is outer to inner: what a request meets first stands first, and a
//! response passes the other way.

use std::convert::Infallible;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use tower::ServiceBuilder;
use tower::layer::layer_fn;

use crate::activator::{Arrive, Retrying, Revisions, Throttle, Timing};
use crate::body::Body;
use crate::gateway::{Connection, Forward, Health, Probe, Rescue, Route, RouteTable, UnreadyRoutes};
use crate::queue::{Timeout, Transmit};
use crate::step::Step;

/// A request as it comes from the wire.
pub(crate) struct Inbound {
    pub(crate) request: Request<Incoming>,
    pub(crate) connection: Arc<Connection>,
}

/// The layers, joined.
pub(crate) struct Stack {
    layers: Layers,
}

type Layers = Rescue<Health<Route<Probe<Forward<Arrive<Timeout<Timing<Retrying<Throttle<Transmit>>>>>>>>>>;

impl Stack {
    pub(crate) fn new(
        table: Arc<ArcSwap<RouteTable>>,
        unready: UnreadyRoutes,
        revisions: Arc<Revisions>,
    ) -> Self {
        let context = Arc::clone(revisions.context());
        let (limits, dice) = (&context.limits, &context.dice);
        let layers = ServiceBuilder::new()
            // gateway: every failure from here on down becomes a response.
            .layer(layer_fn(|inner| Rescue { inner }))
            // gateway: kubelets ask for the gateway itself.
            .layer(layer_fn(|inner| Health { inner }))
            // gateway: host, path, headers and share name a revision.
            .layer(layer_fn(|inner| Route {
                table: Arc::clone(&table),
                unready: unready.clone(),
                dice: Arc::clone(dice),
                limits: Arc::clone(limits),
                inner,
            }))
            // gateway: probes end here and wake nothing.
            .layer(layer_fn(|inner| Probe { inner }))
            // gateway: headers, as the application and then the client should see them.
            .layer(layer_fn(|inner| Forward { inner }))
            // activator: counts as load from here on; wakes a revision that has no instance.
            .layer(layer_fn(|inner| Arrive { revisions: Arc::clone(&revisions), inner }))
            // queue: the revision's timeouts, waiting included.
            .layer(layer_fn(|inner| Timeout { inner }))
            // activator: says where the time of a cold start went.
            .layer(layer_fn(|inner| Timing { inner }))
            // activator: another attempt, while nothing was sent.
            .layer(layer_fn(|inner| Retrying { limits: Arc::clone(limits), inner }))
            // activator: waits in queue/breaker for a slot of an instance.
            .layer(layer_fn(|inner| Throttle { inner }))
            // queue: over a connection to the instance.
            .service(Transmit { dial: Arc::clone(&context.seams.dial), limits: Arc::clone(limits) });
        Self { layers }
    }

    pub(crate) async fn call(&self, inbound: Inbound) -> Result<Response<Body>, Infallible> {
        self.layers.call(inbound).await
    }
}
