//! The end of the path: the request goes over a connection to the instance that it was given.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::Body as _;
use hyper::client::conn::{TrySendError, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::activator::{Arrived, Visit};
use crate::body::{Body, Outgoing};
use crate::gateway::Connection;
use crate::queue::tunnel::{self, Tunnel};
use crate::queue::{Driver, Link, Member, Stream};
use crate::step::Step;
use crate::{Dial, Error, Instance, Limits, Protocol, sockets};

/// Sends requests to instances, over kept connections where there are any.
pub(crate) struct Transmit {
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) limits: Arc<Limits>,
}

/// Why a request was not answered, with the request itself when it may be sent again.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) again: Option<Box<Arrived>>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, again: None }
    }
}

impl Step<Box<Arrived>> for Transmit {
    type Output = Response<Body>;
    type Error = Failure;

    /// The request must hold a slot.
    async fn call(&self, mut arrived: Box<Arrived>) -> Result<Response<Body>, Failure> {
        let member = Arc::clone(arrived.visit.slot());
        if arrived.visit.is_handed_on() {
            arrived.put_back();
        }
        match arrived.visit.config().protocol {
            Protocol::H2c if arrived.upgrade.is_none() => self.multiplexed(&member, arrived).await,
            _ => self.alone(&member, arrived).await,
        }
    }
}

impl Transmit {
    /// HTTP/1.1: one request per connection at a time.
    async fn alone(
        &self,
        member: &Arc<Member>,
        mut arrived: Box<Arrived>,
    ) -> Result<Response<Body>, Failure> {
        let thread = arrived.connection.thread();
        let mut link = match self.link(member, thread, &mut arrived).await {
            Ok(link) => link,
            Err(error) => return Err(Failure { error, again: Some(arrived) }),
        };
        to_http1(&mut arrived.request);
        // An instance may close a kept connection just as the request is under way, having read nothing of it. That
        // cannot be told from a request that killed it, so only what is safe to repeat is repeated, and once: over a new
        // connection, where there is no such doubt.
        let again = if link.is_reused() { repeatable(&arrived.request) } else { None };
        let Arrived { visit, request, upgrade, connection, repeated, came } = *arrived;
        match link.send(request).await {
            Ok(response) => Ok(self.answer(response, link, visit, upgrade, &connection)),
            Err(failure) => Err(failed(member, failure, again, |request, went_out| {
                let repeated = repeated || went_out;
                Arrived { visit, request, upgrade, connection, repeated, came }
            })),
        }
    }

    async fn link(&self, member: &Member, thread: usize, arrived: &mut Arrived) -> Result<Box<Link>, Error> {
        // What broke one connection and perhaps the instance may not break all that are kept.
        while !arrived.repeated
            && let Some(mut link) = member.pool().take(thread, self.limits.idle_connection_age)
        {
            if !link.is_usable().await {
                continue;
            }
            if link.thread() == thread {
                return Ok(link);
            }
            if let Some(link) = link.moved(thread, self.limits.head_bytes_max).await {
                return Ok(link);
            }
        }
        let stream = self.connect(member, &mut arrived.visit).await?;
        Link::open(stream, thread, self.limits.head_bytes_max)
            .await
            .map_err(|source| Error::Unsent { instance: named(member), source })
    }

    /// HTTP/2: the requests of a thread to an instance share a connection, as far as there is room on it.
    async fn multiplexed(
        &self,
        member: &Arc<Member>,
        mut arrived: Box<Arrived>,
    ) -> Result<Response<Body>, Failure> {
        let thread = arrived.connection.thread();
        let mut stream = match self.stream(member, thread, &mut arrived.visit).await {
            Ok(stream) => stream,
            Err(error) => return Err(Failure { error, again: Some(arrived) }),
        };
        to_http2(&mut arrived.request);
        let Arrived { visit, request, upgrade, connection, repeated, came } = *arrived;
        match stream.sender.try_send_request(request).await {
            Ok(response) => {
                let (parts, incoming) = response.into_parts();
                Ok(Response::from_parts(parts, Body::stream(incoming, stream, visit)))
            }
            Err(failure) => Err(failed(member, failure, None, |request, went_out| {
                let repeated = repeated || went_out;
                Arrived { visit, request, upgrade, connection, repeated, came }
            })),
        }
    }

    async fn stream(&self, member: &Member, thread: usize, visit: &mut Visit) -> Result<Stream, Error> {
        if let Some(stream) = member.pool().stream(thread, self.limits.instance_streams_max) {
            return Ok(stream);
        }
        let stream = self.connect(member, visit).await?;
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            // Until the instance has said how many it takes.
            .initial_max_send_streams(1)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| Error::Unsent { instance: named(member), source })?;
        let driver = Driver::new(Mutex::new(Some(driver)));
        tokio::spawn(drive(Arc::clone(&driver)));
        Ok(member.pool().share(thread, sender, driver))
    }

    async fn connect(&self, member: &Member, visit: &mut Visit) -> Result<TcpStream, Error> {
        let failed = |source| Error::Connect { instance: named(member), source };
        let begun = Instant::now();
        let stream = timeout(self.limits.connect_max, self.dial.dial(member.instance()))
            .await
            .map_err(|elapsed| failed(std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed)))?
            .map_err(failed)?;
        sockets::of_instance(&stream, &self.limits).map_err(failed)?;
        visit.connected(begun.elapsed());
        Ok(stream)
    }

    /// Turns an instance's response into the client's.
    fn answer(
        &self,
        response: Response<hyper::body::Incoming>,
        link: Box<Link>,
        visit: Visit,
        upgrade: Option<hyper::upgrade::OnUpgrade>,
        connection: &Arc<Connection>,
    ) -> Response<Body> {
        let (parts, incoming) = response.into_parts();
        match upgrade {
            Some(client) if parts.status == StatusCode::SWITCHING_PROTOCOLS => {
                let idle_max = self.limits.tunnel_idle_max;
                tunnel::spawn(Tunnel { client, link, visit, idle_max }, connection);
                Response::from_parts(parts, Body::empty())
            }
            _ => Response::from_parts(parts, Body::link(incoming, link, visit)),
        }
    }
}

/// Has a connection go on until the last request and the pool have let go of it, or it breaks. It is dropped here
/// although the pool may still ask for it: requests that it has not taken learn so that it never will.
async fn drive(driver: Driver) {
    let ended = poll_fn(|cx| match &mut *driver.lock() {
        Some(connection) => Pin::new(connection).poll(cx),
        None => Poll::Ready(Ok(())),
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "connection to an instance ended");
    }
    let dropped = driver.lock().take();
    drop(dropped);
}

/// What a request that could not be sent, or was not answered, comes to. `copy` may be sent instead of one that went
/// out; `arrived` makes of a request, and whether it went out before, what comes back for another attempt.
fn failed(
    member: &Member,
    mut failure: TrySendError<Request<Outgoing>>,
    copy: Option<Request<Outgoing>>,
    arrived: impl FnOnce(Request<Outgoing>, bool) -> Arrived,
) -> Failure {
    let unsent = failure.take_message();
    let (source, instance) = (failure.into_error(), named(member));
    match unsent {
        Some(request) => Failure {
            error: Error::Unsent { instance, source },
            again: Some(Box::new(arrived(request, false))),
        },
        None => Failure {
            error: Error::Broken { instance, source },
            again: copy.map(|request| Box::new(arrived(request, true))),
        },
    }
}

fn named(member: &Member) -> Box<Instance> {
    Box::new(member.instance().clone())
}

/// A copy of a request that may be sent twice (RFC 9110, 9.2.2) and has no body.
fn repeatable(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let idempotent =
        matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if !idempotent || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(Outgoing::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// HTTP/1.1 names the host in a header and only the path in its first line, and says how a body ends that has no
/// length: hyper takes it that a GET without either has none.
fn to_http1(request: &mut Request<Outgoing>) {
    *request.version_mut() = Version::HTTP_11;
    if !request.body().is_end_stream() && request.body().size_hint().exact().is_none() {
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if request.uri().authority().is_some() {
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// HTTP/2 names the host in the URI. A second attempt has it there already.
fn to_http2(request: &mut Request<Outgoing>) {
    *request.version_mut() = Version::HTTP_2;
    let Some(host) = request.headers_mut().remove(header::HOST) else { return };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    parts.authority = http::uri::Authority::try_from(host.as_bytes()).ok();
    parts.path_and_query = request.uri().path_and_query().cloned();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
