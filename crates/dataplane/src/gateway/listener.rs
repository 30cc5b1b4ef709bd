//! Accepts connections and serves them until it is told to drain.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Connection;
use super::threads::Threads;
use crate::stack::{Inbound, Stack};
use crate::{Handle, Limits, Visibility};

/// How long to wait when the process is out of descriptors: they come back when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a connection that was accepted just before the drain may take to send the first of its request. A client
/// that has connected sends at once; one that only holds a connection open does not hold up the drain.
const FIRST_BYTES_MAX: Duration = Duration::from_secs(1);

/// One listening socket: HTTP/1.1 and HTTP/2 without TLS on the same port.
pub struct Gateway {
    handle: Handle,
    visibility: Visibility,
    threads: Vec<runtime::Handle>,
}

impl Gateway {
    /// A gateway that serves the hosts that are visible to `visibility`.
    pub fn new(handle: Handle, visibility: Visibility) -> Self {
        Self { handle, visibility, threads: Vec::new() }
    }

    /// Serves connections on these runtimes, each of one thread, and not on the one that it runs on itself. Gateways
    /// of one process that share a [`Handle`] should be given the same list, since the connections to instances are
    /// kept by thread.
    #[must_use]
    pub fn on(self, threads: Vec<runtime::Handle>) -> Self {
        Self { threads, ..self }
    }

    /// Serves `listener` until `drain`; then requests in flight may finish within [`Limits::drain_max`], and what is
    /// left is cut.
    pub async fn run(self, listener: TcpListener, drain: CancellationToken) {
        let limits = Arc::clone(self.handle.limits());
        let threads = if self.threads.is_empty() { vec![runtime::Handle::current()] } else { self.threads };
        let server = Arc::new(Server {
            stack: self.handle.stack(),
            http: http(&limits),
            idle_max: limits.client_idle_max,
            visibility: self.visibility,
            drain: drain.clone(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
            threads: Threads::new(threads),
        });
        let permits = Arc::new(Semaphore::new(limits.connections_max));
        drain.run_until_cancelled(accept(&listener, &server, &permits)).await;
        drop(listener);
        server.tasks.close();
        if timeout(limits.drain_max, server.tasks.wait()).await.is_err() {
            tracing::warn!(connections = server.tasks.len(), "drain took too long, cutting what is left");
            server.cut.cancel();
            server.tasks.wait().await;
        }
    }
}

struct Server {
    stack: Arc<Stack>,
    http: auto::Builder<TokioExecutor>,
    idle_max: Duration,
    visibility: Visibility,
    drain: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
    threads: Threads,
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // One buffer, not a list: a tenth less CPU for what is small, which most is, and a tenth more for megabytes.
    // Slow heads are covered by the idle timeout of the connection, which costs a request nothing.
    http.http1()
        .max_headers(limits.headers_max)
        .max_buf_size(limits.head_bytes_max)
        .writev(false)
        .header_read_timeout(None);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX));
    http
}

async fn accept(listener: &TcpListener, server: &Arc<Server>, permits: &Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else { return };
        // A stream belongs to the runtime that it was made on, until it is taken out of there.
        match listener.accept().await.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok((stream, peer)) => {
                let (seat, runtime) = server.threads.seat();
                let connection = Connection::new(
                    seat,
                    peer,
                    server.visibility,
                    server.drain.clone(),
                    server.cut.clone(),
                    server.tasks.clone(),
                );
                let served = serve(Arc::clone(server), stream, Arc::new(connection), permit);
                server.tasks.spawn_on(served, runtime);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                if !is_about_one_connection(&error) {
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

async fn serve(
    server: Arc<Server>,
    stream: std::net::TcpStream,
    connection: Arc<Connection>,
    _permit: OwnedSemaphorePermit,
) {
    let stream = match stream.set_nodelay(true).and_then(|()| TcpStream::from_std(stream)) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(%error, "the client left at once");
            return;
        }
    };
    let service = service_fn(|request: Request<Incoming>| {
        let inbound = Inbound { request, connection: Arc::clone(&connection) };
        let stack = Arc::clone(&server.stack);
        async move { stack.call(inbound).await }
    });
    let mut idle = pin!(idle(&connection, server.idle_max));
    // A drain ends connections on which nothing has arrived yet, and with them a request that is on its way.
    tokio::select! {
        biased;
        arrived = stream.readable() => if arrived.is_err() { return },
        () = too_late(&server) => return,
        () = &mut idle => return,
    }
    let mut http = pin!(server.http.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut http => {
                if let Err(error) = ended {
                    tracing::debug!(%error, peer = %connection.peer, "client connection ended");
                }
                return;
            }
            // Nothing is cut before the drain.
            () = server.cut.cancelled(), if draining => return,
            () = server.drain.cancelled(), if !draining => {
                draining = true;
                http.as_mut().graceful_shutdown();
            }
            () = &mut idle => return,
        }
    }
}

/// Ends when nothing that arrives first is served any more.
async fn too_late(server: &Server) {
    server.drain.cancelled().await;
    server.cut.run_until_cancelled(sleep(FIRST_BYTES_MAX)).await;
}

/// Ends when no request was in flight or began for `max`.
async fn idle(connection: &Connection, max: Duration) {
    if max.is_zero() {
        return pending().await;
    }
    let mut seen = connection.begun();
    loop {
        sleep_until(Instant::now() + max).await;
        let begun = connection.begun();
        if begun == seen && !connection.is_busy() {
            return;
        }
        seen = begun;
    }
}
