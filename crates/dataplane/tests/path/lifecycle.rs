use std::time::Duration;

use dataplane::{Gateway, Limits, Visibility};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::rig::{App, Client, Gate, PATIENCE, Rig, eventually, get, limited};

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let (mut busy, mut unused) = (rig.client().await, rig.client().await);
    gate.admit(1);
    unused.get("/").await;
    let answer = tokio::spawn(async move { busy.get("/").await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    rig.drain.cancel();
    eventually("nobody is let in", || std::net::TcpStream::connect(rig.address).is_err()).await;
    assert!(unused.send(get("/")).await.is_err());
    assert!(!rig.gateway.is_finished());
    gate.admit(1);
    let reply = answer.await.unwrap();
    assert_eq!((reply.status, reply.header("connection")), (StatusCode::OK, Some("close")));
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
}

/// Who has connected before the drain has not been told of it; who only holds a connection does not hold it up.
#[tokio::test]
async fn a_request_on_its_way_is_answered_in_a_drain() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let (mut late, mut busy) = (rig.client().await, rig.client().await);
    // Accepted in order, so the others are accepted too.
    let answer = tokio::spawn(async move { busy.get("/").await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    rig.drain.cancel();
    eventually("nobody is let in", || std::net::TcpStream::connect(rig.address).is_err()).await;
    gate.admit(2);
    let reply = late.get("/").await;
    assert_eq!((reply.status, reply.header("connection")), (StatusCode::OK, Some("close")));
    assert_eq!(answer.await.unwrap().status, StatusCode::OK);
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
}

/// Whom nobody has accepted when the drain begins is connected all the same, as far as it knows.
#[tokio::test]
async fn who_waits_to_be_accepted_is_answered_in_a_drain() {
    let app = App::saying("hello").await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let mut client = Client::http1(address).await;
        waiting.spawn(async move { client.get("/").await.status });
    }
    let drain = CancellationToken::new();
    drain.cancel();
    let gateway = Gateway::new(rig.handle.clone(), Visibility::Public);
    timeout(PATIENCE, gateway.run(listener, drain)).await.unwrap();
    assert_eq!(waiting.join_all().await, [StatusCode::OK; 3]);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let app = App::gated(&Gate::closed()).await;
    let rig = Rig::with(Limits { drain_max: Duration::from_millis(50), ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let mut client = rig.client().await;
    let cut = tokio::spawn(async move { client.send(get("/")).await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    rig.drain.cancel();
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
    assert!(cut.await.unwrap().is_err());
}

#[tokio::test]
async fn an_instance_that_leaves_finishes_its_requests() {
    let gate = Gate::closed();
    let (old, new) = (App::gated(&gate).await, App::saying("new").await);
    let rig = Rig::serving(limited(1), &[&old]).await;
    let mut client = rig.client().await;
    let answer = tokio::spawn(async move { client.get("/").await });
    eventually("one request is in flight", || old.at_once() == 1).await;
    rig.instances(&[&new]);
    assert_eq!(rig.get("/").await.body, "new");
    gate.admit(1);
    assert_eq!(answer.await.unwrap().body, "passed");
    assert_eq!(old.requests(), 1);
}

#[tokio::test]
async fn an_instance_that_comes_back_is_not_thought_idle() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let mut client = rig.client().await;
        requests.spawn(async move { client.get("/").await.status });
        eventually("a request is in flight", || app.at_once() == 1).await;
        rig.instances(&[]);
        rig.instances(&[&app]);
    }
    gate.admit(2);
    assert_eq!(requests.join_all().await, [StatusCode::OK; 2]);
    assert_eq!(app.seen.most_at_once.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_instance_that_dies_in_a_request_is_502() {
    let app = App::gated(&Gate::closed()).await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut client = rig.client().await;
    let answer = tokio::spawn(async move { client.get("/").await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    app.kill();
    let reply = answer.await.unwrap();
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{reply:?}");
}

#[tokio::test]
async fn nobody_there_is_502_after_the_last_attempt() {
    let limits = Limits { attempts_max: 3, retry_pause: Duration::from_millis(1), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let app = App::saying("unreachable").await;
    rig.serve(limited(1), &[&app]);
    rig.dialer.refuses.store(true, std::sync::atomic::Ordering::SeqCst);
    let reply = rig.get("/").await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(reply.body.contains("hello-00001-"), "{reply:?}");
    assert_eq!(rig.dialer.refused.load(std::sync::atomic::Ordering::SeqCst), 3);
    rig.dialer.refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rig.get("/").await.body, "unreachable");
}

#[tokio::test]
async fn a_silent_or_slow_client_is_let_go() {
    let limits = Limits { client_idle_max: Duration::from_millis(30), ..Limits::default() };
    let rig = Rig::with(limits).await;
    for begin in ["", "GET / HTTP/1.1\r\nHost: x"] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed");
        assert!(read.is_err() || rest.is_empty(), "{rest:?}");
    }
}

/// Which of its requests were seen, a client of HTTP/2 is told before the connection ends, so that it can send the others
/// again.
#[tokio::test]
async fn an_idle_http2_connection_ends_with_a_word() {
    const GO_AWAY: u8 = 7;
    let limits = Limits { client_idle_max: Duration::from_millis(30), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    // The preface, and settings without any.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frames = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut frames)).await.expect("closed").unwrap();
    let (mut rest, mut kinds) = (&frames[..], Vec::new());
    while let [a, b, c, kind, ..] = *rest {
        kinds.push(kind);
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    assert!(kinds.contains(&GO_AWAY), "{kinds:?}");
}

#[tokio::test]
async fn requests_out_of_bounds_are_refused() {
    let app = App::saying("hello").await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let many: String = (0..200).map(|index| format!("x-{index}: 1\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(128 * 1024));
    for headers in [many, long] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", crate::rig::HOST);
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    assert_eq!(app.requests(), 0);
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { connections_max: 1, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let mut first = rig.client().await;
    assert_eq!(first.get("/").await.status, StatusCode::OK);
    let mut second = rig.client().await;
    let waiting = tokio::spawn(async move { second.get("/").await.status });
    // All this goes through the gateway, which would let the other one in meanwhile.
    for _ in 0..10 {
        assert_eq!(first.get("/").await.status, StatusCode::OK);
    }
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
}
