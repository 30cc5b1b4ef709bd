//! The listener: TLS, HTTP/1.1 and HTTP/2, and a graceful end. A connection without a request is closed after a while, and
//! so is one whose client takes nothing of an answer.

mod open_answers;

use std::{future::Future, io, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustix::net::sockopt;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::task::TaskTracker;

use self::open_answers::OpenAnswers;
use crate::{ApiServer, Limits, RequestBody, User, rest, server::Shared};

/// How long to wait after an error of the listener, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Why a connection is closed whose client does not read.
const STALLED: &str = "the client takes nothing of an answer";

impl ApiServer {
    /// Serves the API on a listener until `drain` is done; then ends watches, waits for requests in flight and returns.
    ///
    /// May be called for several listeners. The first one that drains ends the watches of all.
    pub async fn serve(&self, listener: TcpListener, drain: impl Future<Output = ()>) {
        let limits = &self.shared.registry.limits;
        let acceptor = TlsAcceptor::from(self.shared.authority.server_config());
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let connections = TaskTracker::new();
        tokio::pin!(drain);
        loop {
            // A connection is only accepted when there is a place for it; the others wait in the kernel.
            let accepted = tokio::select! {
                accepted = accept(&listener, &places) => accepted,
                () = &mut drain => break,
            };
            let Some((stream, place)) = accepted else { continue };
            let (shared, acceptor) = (Arc::clone(&self.shared), acceptor.clone());
            connections.spawn(async move {
                if let Err(error) = connection(shared, acceptor, stream).await {
                    tracing::debug!(error = &*error, "a connection ended");
                }
                drop(place);
            });
        }
        drop(listener);
        self.shared.draining.cancel();
        connections.close();
        let sessions = &self.shared.sessions;
        sessions.close();
        let all = async { tokio::join!(connections.wait(), sessions.wait()) };
        if timeout(limits.drain_timeout, all).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "connections are still open after the time to drain"
            );
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let limits = shared.registry.limits.clone();
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, limits.keep_alive_interval)?;
    sockopt::set_tcp_keepintvl(&stream, limits.keep_alive_interval)?;
    let handshake = timeout(limits.handshake_timeout, acceptor.accept(stream)).await;
    let stream = handshake
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long"))??;
    let user = user(&stream);
    let source = stream.get_ref().0.peer_addr().ok().map(|address| address.ip());
    let draining = shared.draining.clone();
    let answers = OpenAnswers::new();
    let service = service_fn(|request: Request<Incoming>| {
        let begun = answers.begin();
        let request = RequestBody::of(request, &shared.registry.limits);
        let answer = rest::answer(Arc::clone(&shared), user.clone(), source, request);
        async move {
            let (response, place) = answer.await;
            Ok::<_, std::convert::Infallible>(begun.until_the_end_of(response, place))
        }
    });
    let http = http(&limits);
    let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let stalled = answers.stalled(limits.answer_stall_max);
    tokio::pin!(connection, stalled);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            return connection.await;
        }
        () = stalled.as_mut() => return Err(STALLED.into()),
        () = answers.idle(&limits) => connection.as_mut().graceful_shutdown(),
    }
    // Requests that are in flight are answered; then the connection is closed, whether the client closes it or not.
    loop {
        let ended = tokio::select! {
            ended = timeout(limits.handshake_timeout, connection.as_mut()) => ended,
            () = stalled.as_mut() => return Err(STALLED.into()),
        };
        match ended {
            Ok(ended) => return ended,
            Err(_) if answers.is_none() => return Ok(()),
            Err(_) => {}
        }
    }
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // The idle timeout covers heads that do not arrive.
    http.http1().header_read_timeout(None);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_per_connection_max)
        .keep_alive_interval(limits.keep_alive_interval)
        .keep_alive_timeout(limits.keep_alive_timeout);
    http
}

/// Who the client is; the handshake has verified its certificate.
fn user(stream: &TlsStream<TcpStream>) -> Option<User> {
    let (_, session) = stream.get_ref();
    session.peer_certificates()?.first().and_then(User::of)
}
