use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use bytes::Bytes;
use dataplane::Instance;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use resources::ObjectKey;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub(crate) type AppBody = BoxBody<Bytes, std::io::Error>;
type Script = dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<AppBody>> + Send + Sync;

/// hyper's default.
const STREAMS_MAX: u32 = 200;

/// An application that answers by a script and counts what it sees.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    server: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: AtomicUsize,
    pub(crate) connections: AtomicUsize,
    pub(crate) at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl App {
    pub(crate) async fn new<F>(script: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<AppBody>> + Send + 'static,
    {
        Self::with_streams_max(STREAMS_MAX, script).await
    }

    /// One that takes so many requests at once on an HTTP/2 connection.
    pub(crate) async fn with_streams_max<F>(
        streams_max: u32,
        script: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<AppBody>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let script: Arc<Script> = Arc::new(move |request| Box::pin(script(request)));
        let server = tokio::spawn(accept(listener, streams_max, seen.clone(), script));
        Self { address, seen, server }
    }

    /// Answers every request with `body`.
    pub(crate) async fn saying(body: &'static str) -> Self {
        Self::new(move |_| async move { text(body) }).await
    }

    /// Answers a request when `gate` lets it through.
    pub(crate) async fn gated(gate: &Arc<Gate>) -> Self {
        let gate = Arc::clone(gate);
        Self::new(move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.pass().await;
                text("passed")
            }
        })
        .await
    }

    pub(crate) fn instance(&self) -> Instance {
        instance(self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.requests.load(SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(SeqCst)
    }

    pub(crate) fn at_once(&self) -> usize {
        self.seen.at_once.load(SeqCst)
    }

    /// Ends it, with all of its connections.
    pub(crate) fn kill(&self) {
        self.server.abort();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn instance(address: SocketAddr) -> Instance {
    let pod = ObjectKey::new("default", format!("hello-00001-{}", address.port()));
    Instance { pod, uid: format!("uid-{}", address.port()), address: address.ip(), port: address.port() }
}

async fn accept(listener: TcpListener, streams_max: u32, seen: Arc<Seen>, script: Arc<Script>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        seen.connections.fetch_add(1, SeqCst);
        let (seen, script) = (seen.clone(), script.clone());
        connections.spawn(async move {
            let service = service_fn(|request| {
                let (seen, answer) = (seen.clone(), script(request));
                async move {
                    seen.requests.fetch_add(1, SeqCst);
                    let now = seen.at_once.fetch_add(1, SeqCst) + 1;
                    seen.most_at_once.fetch_max(now, SeqCst);
                    let leave = Leave(seen);
                    let response = answer.await;
                    Ok::<_, Infallible>(response.map(|body| Counted { body, _leave: leave }))
                }
            });
            let mut http = auto::Builder::new(TokioExecutor::new());
            http.http2().max_concurrent_streams(streams_max);
            let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
}

/// Counts a request out even when its connection was cut.
struct Leave(Arc<Seen>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, SeqCst);
    }
}

/// A response's body: its request is there for as long as it is.
struct Counted {
    body: AppBody,
    _leave: Leave,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Holds requests back until they are let through, one by one.
pub(crate) struct Gate(Semaphore);

impl Gate {
    pub(crate) fn closed() -> Arc<Self> {
        Arc::new(Self(Semaphore::new(0)))
    }

    pub(crate) fn admit(&self, requests: usize) {
        self.0.add_permits(requests);
    }

    pub(crate) async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

pub(crate) fn text(body: &'static str) -> Response<AppBody> {
    Response::new(reply(body))
}

pub(crate) fn reply(body: impl Into<Bytes>) -> AppBody {
    Full::new(body.into()).map_err(|never| match never {}).boxed()
}
