//! Accepts connections and serves them until it is told to drain.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Admitted, Connection};
use super::expiry::{Expired, expired};
use super::peers::Peers;
use super::streams::Streams;
use super::threads::Threads;
use crate::on_read::OnRead;
use crate::stack::{Inbound, Stack};
use crate::{Handle, Limits, Visibility, sockets};

/// How long to wait when the process is out of descriptors: they come back when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections that wait when the drain begins are let in: as many as the kernel has wait at one listener, by its
/// own default. Without an end, those who come meanwhile could hold it up.
const BACKLOG_MAX: usize = 4096;

/// How long a connection that was accepted just before the drain may take to send the first of its request. A client
/// that has connected sends at once; one that only holds a connection open does not hold up the drain.
const FIRST_BYTES_MAX: Duration = Duration::from_secs(1);

/// How long a connection that is closed for want of use may take to end as its protocol has it.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

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

    /// Serves `listener` until `drain`; then requests in flight may finish within [`Limits::drain_max`], those of clients
    /// that have connected by then too, and what is left is cut.
    pub async fn run(self, listener: TcpListener, drain: CancellationToken) {
        let limits = Arc::clone(self.handle.limits());
        let threads = if self.threads.is_empty() { vec![runtime::Handle::current()] } else { self.threads };
        let server = Arc::new(Server {
            stack: self.handle.stack(),
            http: http(&limits),
            limits: Arc::clone(&limits),
            visibility: self.visibility,
            drain: drain.clone(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
            threads: Threads::new(threads),
        });
        if let Err(error) = sockets::of_clients(&listener, &limits) {
            tracing::warn!(%error, "cannot set keep-alive on the listener: clients that vanish are noticed late");
        }
        let permits = Arc::new(Semaphore::new(limits.connections_max));
        let door = Door { server: Arc::clone(&server), permits, peers: Peers::default() };
        drain.run_until_cancelled(door.attend(&listener)).await;
        match listener.into_std() {
            Ok(listener) => door.close(&listener),
            Err(error) => tracing::warn!(%error, "connections that nobody has accepted yet are reset"),
        }
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
    http: auto::Builder<Streams>,
    limits: Arc<Limits>,
    visibility: Visibility,
    drain: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
    threads: Threads,
}

fn http(limits: &Limits) -> auto::Builder<Streams> {
    let mut http = auto::Builder::new(Streams);
    // One buffer, not a list: a tenth less CPU for what is small, which most is, and a tenth more for megabytes.
    // Slow heads are noticed in `expiry`, which costs a request nothing.
    http.http1()
        .max_headers(limits.headers_max)
        .max_buf_size(limits.head_bytes_max)
        .writev(false)
        .header_read_timeout(None);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.keep_alive)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX));
    http
}

/// Lets connections in.
struct Door {
    server: Arc<Server>,
    permits: Arc<Semaphore>,
    peers: Peers,
}

impl Door {
    /// Lets in whoever comes.
    async fn attend(&self, listener: &TcpListener) {
        loop {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
            // A stream belongs to the runtime that it was made on, until it is taken out of there.
            match listener.accept().await.and_then(|(stream, peer)| Ok((stream.into_std()?, peer.ip()))) {
                Ok((stream, peer)) => self.admit(permit, stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    if !is_about_one_connection(&error) {
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        }
    }

    /// Lets in those who wait. For them they are connected, and their requests may be sent; what is closed with the
    /// listener would be reset.
    fn close(&self, listener: &std::net::TcpListener) {
        for _ in 0..BACKLOG_MAX {
            let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else { return };
            let accepted = listener.accept().and_then(|(stream, peer)| {
                stream.set_nonblocking(true)?;
                Ok((stream, peer.ip()))
            });
            match accepted {
                Ok((stream, peer)) => self.admit(permit, stream, peer),
                Err(error) if is_about_one_connection(&error) => {}
                // Mostly that nobody waits any more.
                Err(_) => return,
            }
        }
    }

    fn admit(&self, permit: OwnedSemaphorePermit, stream: std::net::TcpStream, peer: IpAddr) {
        let server = &self.server;
        let Some(place) = self.peers.admit(peer, server.limits.connections_per_client_max) else { return };
        let (seat, runtime) = server.threads.seat();
        let connection = Connection::new(
            seat,
            Admitted { _permit: permit, _peer: place },
            peer,
            server.visibility,
            server.drain.clone(),
            server.cut.clone(),
            server.tasks.clone(),
        );
        let served = serve(Arc::clone(server), stream, Arc::new(connection));
        server.tasks.spawn_on(served, runtime);
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

async fn serve(server: Arc<Server>, stream: std::net::TcpStream, connection: Arc<Connection>) {
    let prepared = sockets::of_accepted(&stream, &server.limits);
    let stream = match prepared.and_then(|()| TcpStream::from_std(stream)) {
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
    let mut expired = pin!(expired(&connection, &server.limits));
    // A graceful shutdown would end a connection on which nothing has arrived yet, and lose a request that is on its way.
    tokio::select! {
        biased;
        arrived = stream.readable() => if arrived.is_err() { return },
        () = too_late(&server) => return,
        why = &mut expired => return log(why, &connection),
    }
    let stream = OnRead::new(stream, {
        let connection = Arc::clone(&connection);
        move || connection.received()
    });
    let mut http = pin!(server.http.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut draining = false;
    let mut leaves_at = None;
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
            why = &mut expired, if leaves_at.is_none() => {
                log(why, &connection);
                if matches!(why, Expired::Response(_)) {
                    return;
                }
                // In HTTP/2 the client is told which requests were not seen: one may be on its way.
                http.as_mut().graceful_shutdown();
                leaves_at = Some(Instant::now() + GOODBYE_MAX);
            }
            () = sleep_until(leaves_at.unwrap_or_else(Instant::now)), if leaves_at.is_some() => return,
        }
    }
}

/// Completes when a connection on which nothing has arrived is no longer waited for.
async fn too_late(server: &Server) {
    server.drain.cancelled().await;
    server.cut.run_until_cancelled(sleep(FIRST_BYTES_MAX)).await;
}

fn log(why: Expired, connection: &Connection) {
    match why {
        Expired::Response(timed_out) => timed_out.log(),
        why => tracing::debug!(?why, peer = %connection.peer, "closing a client's connection"),
    }
}
