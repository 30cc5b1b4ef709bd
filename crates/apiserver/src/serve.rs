//! The listener: TLS, HTTP/1.1 and HTTP/2, and an orderly end.

use std::{future::Future, io, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::task::TaskTracker;

use crate::{ApiServer, Limits, RequestBody, User, rest, server::Shared};

/// How long to wait after an error of the listener, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
        if timeout(limits.drain_timeout, connections.wait()).await.is_err() {
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
    let handshake = timeout(limits.handshake_timeout, acceptor.accept(stream)).await;
    let stream = handshake
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long"))??;
    let user = user(&stream);
    let draining = shared.draining.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let request = RequestBody::of(request, &shared.registry.limits);
        let answer = rest::answer(Arc::clone(&shared), user.clone(), request);
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let http = http(&limits);
    let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.handshake_timeout);
    http.http2().timer(TokioTimer::new()).max_concurrent_streams(limits.streams_per_connection_max);
    http
}

/// Who the client is; the handshake has verified its certificate.
fn user(stream: &TlsStream<TcpStream>) -> Option<User> {
    let (_, session) = stream.get_ref();
    session.peer_certificates()?.first().and_then(User::of)
}
