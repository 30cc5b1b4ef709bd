//! What the request path costs: the same application asked directly, through a hop that only copies bytes, and
//! through the gateway, in turn.
//!
//! `cargo run --release -p dataplane --example throughput [SECONDS_PER_ROUND [GATEWAY_THREADS [CONNECTIONS [WAY]]]]`
//!
//! The bare hop is the floor of any proxy in a process of its own: two reads and two writes per request. Client,
//! application, bare hop and gateway share one process and loopback, each with threads of its own. The client writes
//! and reads raw bytes, so that most of the time measured is the servers'. CPU time per request is the kernel's count
//! of the threads in question, which other load on the machine disturbs much less than it does rates.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dataplane::{
    Age, Change, Dial, DialTcp, Dice, Gateway, Handle, IngressRoutes, Instance, Limits, RevisionConfig,
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
use tokio::runtime::{self, Builder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const HOST: &str = "hello.default.localhost";
const ROUNDS: usize = 5;

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
    let argument = |index| std::env::args().nth(index);
    let number = |index| argument(index).and_then(|text| text.parse::<f64>().ok());
    let period = Duration::from_secs_f64(number(1).unwrap_or(1.0));
    let threads = number(2).unwrap_or(2.0) as usize;
    let loads = number(3).map_or(vec![1, 8, 32], |connections| vec![connections as usize]);
    let app = start("app", serve_app());
    let bare = start("bare", serve_bare(app));
    let gateway = start_gateway(threads, app);
    let client = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let only = argument(4);
    let ways = [("direct", app), ("bare", bare), ("gateway", gateway)];
    let ways: Vec<_> =
        ways.into_iter().filter(|(way, _)| only.as_ref().is_none_or(|only| only == way)).collect();

    println!(
        "{:>11} {:>8} {:>8} {:>7} {:>10} {:>10} {:>8}   CPU per request, µs",
        "connections", "way", "req/s", "ratio", "p50", "p99", "requests"
    );
    for connections in loads {
        let mut rounds = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for ((_, address), rounds) in ways.iter().zip(&mut rounds) {
                rounds.push(client.block_on(load(*address, connections, period)));
            }
        }
        let first = median(&rounds[0]).rate;
        for ((way, _), rounds) in ways.iter().zip(&rounds) {
            let load = median(rounds);
            println!(
                "{connections:>11} {way:>8} {:>8.0} {:>7.2} {:>10.1?} {:>10.1?} {:>8}   {}",
                load.rate,
                load.rate / first,
                load.p50,
                load.p99,
                load.requests,
                load.cpu_by_role()
            );
        }
    }
}

/// Runs a server on a thread of its own.
fn start(name: &str, server: impl Future<Output = SocketAddr> + Send + 'static) -> SocketAddr {
    wait(&thread(name), server)
}

fn wait<T: Send + 'static>(on: &runtime::Handle, work: impl Future<Output = T> + Send + 'static) -> T {
    let (done, result) = std::sync::mpsc::channel();
    on.spawn(async move { done.send(work.await) });
    result.recv().expect("the thread runs for ever")
}

/// A thread of this name with a runtime of its own.
fn thread(name: &str) -> runtime::Handle {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(pending::<()>());
    std::thread::Builder::new().name(name.into()).spawn(run).expect("a thread");
    handle
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

async fn serve_bare(app: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a connection");
            tokio::spawn(copy(client, app));
        }
    });
    address
}

/// Each request and each answer is one small piece of bytes here, passed on in turn.
async fn copy(mut client: TcpStream, app: SocketAddr) -> io::Result<()> {
    let mut app = TcpStream::connect(app).await?;
    client.set_nodelay(true)?;
    app.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        let read = client.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        app.write_all(&buffer[..read]).await?;
        let read = app.read(&mut buffer).await?;
        client.write_all(&buffer[..read]).await?;
    }
}

fn start_gateway(threads: usize, app: SocketAddr) -> SocketAddr {
    let threads: Vec<_> = (0..threads).map(|_| thread("gateway")).collect();
    wait(&threads[0].clone(), serve_gateway(threads, app))
}

async fn serve_gateway(threads: Vec<runtime::Handle>, app: SocketAddr) -> SocketAddr {
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
    let ingress = RevisionKey::new("default", "hello");
    let routes = IngressRoutes { ingress, age: Age::default(), spec, hash: String::new() };
    handle.apply_routes(handle.routes().with([Change::Set(routes)]).0);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let forever = CancellationToken::new();
    tokio::spawn(handle.clone().report(forever.clone()));
    tokio::spawn(Gateway::new(handle, Visibility::Public).on(threads).run(listener, forever));
    address
}

#[derive(Clone)]
struct Load {
    requests: usize,
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// Nanoseconds by thread name.
    cpu: HashMap<String, f64>,
}

impl Load {
    fn cpu_by_role(&self) -> String {
        let of = |role: &str| self.cpu.get(role).copied().unwrap_or_default() / self.requests as f64 / 1000.0;
        let told = ["client", "app", "bare", "gateway"].map(|role| (role, of(role)));
        let told = told.into_iter().filter(|(_, cpu)| *cpu > 0.3);
        told.map(|(role, cpu)| format!("{role} {cpu:.1}")).collect::<Vec<_>>().join("  ")
    }
}

fn median(rounds: &[Load]) -> Load {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds.swap_remove(rounds.len() / 2)
}

/// Asks over and over, on each connection as soon as the last answer is there.
async fn load(address: SocketAddr, connections: usize, period: Duration) -> Load {
    let before = cpu();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(one_connection(address, period));
    }
    let mut took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let mut cpu = cpu();
    for (name, time) in &mut cpu {
        *time -= before.get(name).copied().unwrap_or_default();
    }
    took.sort_unstable();
    let at = |share: f64| took[(took.len() as f64 * share) as usize];
    Load {
        requests: took.len(),
        rate: took.len() as f64 / period.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        cpu,
    }
}

/// CPU time so far of this process' threads, in nanoseconds by name. The main thread is the client.
fn cpu() -> HashMap<String, f64> {
    let mut times = HashMap::new();
    for thread in std::fs::read_dir("/proc/self/task").expect("procfs").flatten() {
        let read = |file| std::fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        let main = thread.file_name().to_str() == Some(&std::process::id().to_string());
        let name = if main { "client".to_owned() } else { read("comm").trim().to_owned() };
        let time = read("schedstat").split(' ').next().and_then(|time| time.parse::<f64>().ok());
        *times.entry(name).or_default() += time.unwrap_or_default();
    }
    times
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
