//! The layer that finds where a request goes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response, header};
use hyper::body::Incoming;
use resources::names;

use super::table::{RouteTable, Target, canonical};
use super::{Connection, UnreadyRoutes, Visibility};
use crate::body::Body;
use crate::stack::Inbound;
use crate::step::Step;
use crate::{Dice, Error, Limits};

/// A request that knows where it goes.
pub(crate) struct Routed {
    pub(crate) request: Request<Incoming>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) target: Arc<Target>,
}

/// Finds a request's target by host, path, headers and share, in the table of the moment.
pub(crate) struct Route<S> {
    pub(crate) table: Arc<ArcSwap<RouteTable>>,
    pub(crate) unready: UnreadyRoutes,
    pub(crate) dice: Arc<Dice>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) inner: S,
}

impl<S> Step<Inbound> for Route<S>
where
    S: Step<Routed, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, inbound: Inbound) -> Result<Response<Body>, Error> {
        let Inbound { request, connection } = inbound;
        let target = self.target(&request, connection.visibility)?;
        self.inner.call(Routed { request, connection, target }).await
    }
}

impl<S> Route<S> {
    fn target(&self, request: &Request<Incoming>, listener: Visibility) -> Result<Arc<Target>, Error> {
        let table = self.table.load();
        let host = host(request).and_then(canonical).ok_or(Error::BadHost)?;
        let mut target = self.lookup(&table, &host, request, listener)?;
        // A rewritten host is another route's, within the same gateway: no second trip through the network. It is
        // the platform that asks now, so it may be a private one.
        let mut at = host;
        for _ in 0..self.limits.rewrites_max {
            let Some(rewrite) = target.rewrite.as_deref().filter(|rewrite| *rewrite != at) else {
                return Ok(target);
            };
            let Ok(next) = self.lookup(&table, rewrite, request, Visibility::ClusterLocal) else {
                return Ok(target);
            };
            at = rewrite.to_owned().into();
            target = next.seen_as(&target);
        }
        Err(Error::RewriteLoop { host: at.into_owned(), limit: self.limits.rewrites_max })
    }

    fn lookup(
        &self,
        table: &RouteTable,
        host: &str,
        request: &Request<Incoming>,
        listener: Visibility,
    ) -> Result<Arc<Target>, Error> {
        let unknown = || match self.unready.route_of(host) {
            Some(route) => Error::NotReady { route },
            None if listener == Visibility::Public && is_inside(host) => {
                Error::InsideHost { host: host.to_owned() }
            }
            None => Error::UnknownHost { host: host.to_owned() },
        };
        let paths = table.paths(host, listener).ok_or_else(unknown)?;
        let target = paths.target(request.uri().path(), request.headers(), &self.dice);
        target.cloned().ok_or_else(|| Error::UnknownPath { host: host.to_owned() })
    }
}

/// Whether a host is one of the cluster's own, by its name alone.
fn is_inside(host: &str) -> bool {
    host.ends_with(".svc") || names::is_cluster_local(host, names::CLUSTER_DOMAIN)
}

/// The host that a request is for: HTTP/2 and absolute requests have it in the URI, which counts more. Two Host headers
/// are an error whatever they say (RFC 9112, 3.2): the application might believe the other one.
pub(super) fn host<B>(request: &Request<B>) -> Option<&str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    match request.uri().authority() {
        Some(authority) => {
            Some(authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host))
        }
        None => host?.to_str().ok(),
    }
}
