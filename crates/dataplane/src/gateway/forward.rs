//! What changes in a request and its response because there is a gateway between the two ends.

use std::fmt::Write as _;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;

use super::as_it_came::AsItCame;
use super::connection::Connection;
use super::route::Routed;
use super::table::Target;
use crate::body::{Body, Outgoing};
use crate::headers::{
    FORWARDED, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, INTERNAL, KEEP_ALIVE, PROXY_CONNECTION,
};
use crate::step::Step;
use crate::{Error, RevisionKey};

/// A request as its application will see it.
pub(crate) struct Forwarded {
    pub(crate) revision: Arc<RevisionKey>,
    pub(crate) request: Request<Outgoing>,
    pub(crate) upgrade: Option<OnUpgrade>,
    pub(crate) connection: Arc<Connection>,
    /// What the application does not see, for where it goes to another gateway instead.
    pub(crate) came: Option<Box<AsItCame>>,
}

/// Rewrites headers on the way in and out.
pub(crate) struct Forward<S> {
    pub(crate) inner: S,
}

impl<S> Step<Routed> for Forward<S>
where
    S: Step<Forwarded, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Error;

    async fn call(&self, routed: Routed) -> Result<Response<Body>, Error> {
        let Routed { mut request, connection, target } = routed;
        let upgrade = upgrade(&mut request);
        let came = AsItCame::of(&request, &target);
        rewrite(&mut request, &connection, &target, upgrade.is_some(), came.is_some());
        let revision = Arc::clone(&target.revision);
        drop(target);
        let request =
            request.map(|body| if body.is_end_stream() { Outgoing::Empty } else { Outgoing::Client(body) });
        let forwarded = Forwarded { revision, request, upgrade, connection, came };
        let mut response = self.inner.call(forwarded).await?;
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        strip_hop_by_hop(response.headers_mut(), switched);
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }
}

/// The client's side of a protocol switch, when it asks for one. HTTP/2 has none of this kind.
fn upgrade(request: &mut Request<Incoming>) -> Option<OnUpgrade> {
    if request.version() != Version::HTTP_11 || !request.headers().contains_key(UPGRADE) {
        return None;
    }
    let protocols = upgrade_protocols(request.headers());
    request.headers_mut().remove(UPGRADE);
    request.headers_mut().insert(UPGRADE, protocols?);
    Some(hyper::upgrade::on(request))
}

/// What a client would switch to, without h2c: that is between it and this gateway (RFC 9110, 7.8), which goes on with
/// HTTP/1.1, as every server may. `None` when nothing remains, or when it is no wish for a switch at all.
fn upgrade_protocols(headers: &HeaderMap) -> Option<HeaderValue> {
    if !tokens(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    let protocols: Vec<_> =
        tokens(headers, &UPGRADE).filter(|protocol| !protocol.eq_ignore_ascii_case("h2c")).collect();
    HeaderValue::try_from(protocols.join(", ")).ok().filter(|protocols| !protocols.is_empty())
}

/// The members of a header that is a list, of all its lines.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// Makes the headers the application's; `internal` is that some may not be for it.
fn rewrite(
    request: &mut Request<Incoming>,
    connection: &Connection,
    target: &Target,
    upgrade: bool,
    internal: bool,
) {
    let host = match (&target.host, request.uri().authority()) {
        (Some(host), _) => Some(host.clone()),
        (None, Some(authority)) => HeaderValue::try_from(authority.as_str()).ok(),
        (None, None) => None,
    };
    let headers = request.headers_mut();
    strip_hop_by_hop(headers, upgrade);
    // The gateway itself answers `100 Continue`, as soon as somebody reads the body.
    headers.remove(EXPECT);
    if internal {
        for name in &INTERNAL {
            headers.remove(name);
        }
    }
    forwarded(headers, connection);
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    for (name, value) in &target.set {
        headers.insert(name, value.clone());
    }
}

/// What a client cannot have removed by listing it in `Connection`: the request would mean something else, or it would
/// seem to come from nowhere. `TE: trailers` is how gRPC asks for trailers, which do pass.
const NEVER_HOP_BY_HOP: [HeaderName; 9] =
    [CONTENT_LENGTH, FORWARDED, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, HOST, TE, TRAILER, UPGRADE];

/// Removes what is between two neighbours only (RFC 9110, 7.6.1).
fn strip_hop_by_hop(headers: &mut HeaderMap, upgrade: bool) {
    if headers.contains_key(CONNECTION) {
        let listed: Vec<_> = tokens(headers, &CONNECTION)
            .filter_map(|name| HeaderName::try_from(name).ok())
            .filter(|name| !NEVER_HOP_BY_HOP.contains(name))
            .collect();
        headers.remove(CONNECTION);
        for name in listed {
            headers.remove(name);
        }
    }
    headers.remove(KEEP_ALIVE);
    headers.remove(PROXY_CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    if headers.get(TE).is_some_and(|te| te != "trailers") {
        headers.remove(TE);
    }
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(UPGRADE);
    }
}

/// Says who the client is, in the old way and in the standard one (RFC 7239; upstream: serving, queue, Forwarded
/// shim). What a proxy in front of this one said is kept.
fn forwarded(headers: &mut HeaderMap, connection: &Connection) {
    let plain = !headers.contains_key(FORWARDED_FOR)
        && !headers.contains_key(FORWARDED_PROTO)
        && !headers.contains_key(FORWARDED_HOST);
    if plain {
        headers.insert(FORWARDED_FOR, connection.forwarded_for.clone());
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
        headers.entry(FORWARDED).or_insert_with(|| connection.forwarded.clone());
        return;
    }
    let mut chain = String::new();
    for before in headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()) {
        let _ = write!(chain, "{before}, ");
    }
    let _ = write!(chain, "{}", connection.peer);
    headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static("http"));
    if !headers.contains_key(FORWARDED)
        && let Ok(value) = HeaderValue::try_from(standard(&chain, headers))
    {
        headers.insert(FORWARDED, value);
    }
    if let Ok(value) = HeaderValue::try_from(chain) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// `Forwarded` from `X-Forwarded-*`: host and protocol are the first hop's.
fn standard(chain: &str, headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (index, hop) in chain.split(',').map(str::trim).filter(|hop| !hop.is_empty()).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}for={}", node(hop));
        if index == 0 {
            for (key, name) in [("host", FORWARDED_HOST), ("proto", FORWARDED_PROTO)] {
                if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
                    let _ = write!(text, ";{key}={value}");
                }
            }
        }
    }
    text
}

/// An address as a node of `Forwarded`: IPv6 is bracketed and quoted.
pub(super) fn node(address: &str) -> String {
    if address.contains(':') && !address.starts_with('"') {
        format!("\"[{address}]\"")
    } else {
        address.to_owned()
    }
}
