//! What the request path costs: the same application asked directly and through the gateway, in turn.
//!
//! `cargo run --release -p dataplane --example throughput [SECONDS_PER_ROUND [GATEWAY_THREADS]]`
//!
//! Client, gateway and application share one process and loopback, each with threads of its own. The client writes
//! and reads raw bytes, so that most of the time measured is the servers'.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dataplane::{
    Change, Dial, DialTcp, Dice, Gateway, Handle, IngressRoutes, Instance, Limits, RevisionConfig,
    RevisionKey, RevisionStat, Seams, StartTimes, StartTimesOf, StatSink, Visibility,
};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use resources::networking::{HttpIngressPath, HttpIngressRuleValue, IngressRule, IngressSpec, IngressSplit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const HOST: &str = "hello.default.localhost";
const ROUNDS: usize = 3;

struct Quiet;

impl StatSink for Quiet {
    fn report(&self, _stats: &[RevisionStat]) {}
}

impl StartTimesOf for Quiet {
    fn of(&self, _uid: &str, _wished: tokio::time::Instant) -> Option<StartTimes> {
        None
    }
}

#[allow(clippy::print_stdout)]
fn main() {
    let argument = |index| std::env::args().nth(index).and_then(|text| text.parse::<f64>().ok());
    let seconds = argument(1).unwrap_or(2.0);
    let threads = argument(2).unwrap_or(2.0) as usize;
    let period = Duration::from_secs_f64(seconds);
    let application = runtime(1);
    let app = application.block_on(serve_app());
    let data = runtime(threads);
    let gateway = data.block_on(serve_gateway(app));
    let client = Builder::new_current_thread().enable_all().build().expect("a runtime");

    println!(
        "{:>12} {:>14} {:>14} {:>7} {:>14}",
        "connections", "direct req/s", "through req/s", "ratio", "added p50"
    );
    for connections in [1, 8, 32] {
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            direct.push(client.block_on(load(app, connections, period)));
            through.push(client.block_on(load(gateway, connections, period)));
        }
        let (direct, through) = (median(direct), median(through));
        let ratio = through.rate / direct.rate;
        let added = through.p50.saturating_sub(direct.p50);
        println!(
            "{connections:>12} {:>14.0} {:>14.0} {ratio:>7.2} {added:>14.1?}",
            direct.rate, through.rate
        );
    }
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

async fn serve_app() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let hello = |_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"Hello World!\n"))))
            };
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)));
        }
    });
    address
}

async fn serve_gateway(app: SocketAddr) -> SocketAddr {
    let dial: Arc<dyn Dial> = Arc::new(DialTcp);
    let seams = Seams { dial, stats: Arc::new(Quiet), starts: Arc::new(Quiet) };
    let handle = Handle::new(Limits::default(), seams, Dice::seeded(1));
    let revision = RevisionKey::new("default", "hello-00001");
    handle.set_revision(revision.clone(), RevisionConfig::default());
    let pod = RevisionKey::new("default", "hello-00001-deployment-0");
    handle.set_instances(
        &revision,
        vec![Instance { pod, uid: "u".into(), address: app.ip(), port: app.port() }],
    );
    let split = IngressSplit { service_name: revision.name, percent: 100, ..Default::default() };
    let path = HttpIngressPath { splits: vec![split], ..Default::default() };
    let rule = IngressRule {
        hosts: vec![HOST.into()],
        http: Some(HttpIngressRuleValue { paths: vec![path] }),
        ..Default::default()
    };
    let spec = IngressSpec { rules: vec![rule], ..Default::default() };
    let routes = IngressRoutes { ingress: RevisionKey::new("default", "hello"), spec, hash: String::new() };
    handle.apply_routes(handle.routes().with([Change::Set(routes)]).0);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let forever = CancellationToken::new();
    tokio::spawn(handle.clone().report(forever.clone()));
    tokio::spawn(Gateway::new(handle, Visibility::Public).run(listener, forever));
    address
}

#[derive(Clone, Copy)]
struct Load {
    rate: f64,
    p50: Duration,
}

fn median(mut rounds: Vec<Load>) -> Load {
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds[rounds.len() / 2]
}

/// Asks over and over, on each connection as soon as the last answer is there.
async fn load(address: SocketAddr, connections: usize, period: Duration) -> Load {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(one_connection(address, period));
    }
    let mut took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    took.sort_unstable();
    Load { rate: took.len() as f64 / period.as_secs_f64(), p50: took[took.len() / 2] }
}

async fn one_connection(address: SocketAddr, period: Duration) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut buffer = [0; 4096];
    let mut took = Vec::new();
    let end = Instant::now() + period;
    loop {
        let begun = Instant::now();
        if begun >= end {
            return took;
        }
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut read = 0;
        while !buffer[..read].ends_with(b"Hello World!\n") {
            let more = stream.read(&mut buffer[read..]).await.expect("an answer");
            assert!(more > 0, "{}", String::from_utf8_lossy(&buffer[..read]));
            read += more;
        }
        took.push(begun.elapsed());
    }
}
