//! Clients that stop reading, stop talking, or never finish what they began.

use std::time::Duration;

use bytes::Bytes;
use dataplane::{Limits, RevisionConfig};
use futures::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rig::{App, Client, HOST, PATIENCE, Rig, eventually, get, limited, text};

const SHORT: Duration = Duration::from_millis(200);
/// Many times what a peer takes that is well.
const LONG: Duration = Duration::from_secs(1);

/// Answers `/big` with more than all buffers on the way can hold, and everything else with a word.
async fn app() -> App {
    App::new(|request| async move {
        if request.uri().path() != "/big" {
            return text("small");
        }
        let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
        let frames = stream::iter((0..1024).map(move |_| Ok(Frame::data(chunk.clone()))));
        Response::new(BodyExt::boxed(StreamBody::new(frames)))
    })
    .await
}

/// Asks for `/big`, reads one byte of it and then nothing more.
async fn stall(rig: &Rig) -> TcpStream {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let request = format!("GET /big HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    stream
}

fn timeouts() -> [(&'static str, RevisionConfig); 2] {
    let none = RevisionConfig { timeout: Duration::ZERO, ..limited(1) };
    [
        ("timeoutSeconds", RevisionConfig { timeout: SHORT, ..none }),
        ("idleTimeoutSeconds", RevisionConfig { idle_timeout: SHORT, ..none }),
    ]
}

#[tokio::test]
async fn the_revisions_timeouts_end_a_response_that_nobody_reads() {
    for (what, config) in timeouts() {
        let app = app().await;
        let rig = Rig::serving(config, &[&app]).await;
        let mut stalled = stall(&rig).await;
        // It has the only slot. The timeouts are also those of who waits for it.
        let mut other = rig.client().await;
        let free = async { while other.get("/").await.status != StatusCode::OK {} };
        timeout(PATIENCE, free).await.expect(what);
        eventually("the application was let go", || app.at_once() == 0).await;
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.expect("the connection ends");
        assert!(read.is_err() || !rest.ends_with(b"0\r\n\r\n"), "{what}: it seems to be whole");
    }
}

#[tokio::test]
async fn in_http2_only_the_stream_ends() {
    for (what, config) in timeouts() {
        let app = app().await;
        let rig = Rig::serving(config, &[&app]).await;
        let stream = TcpStream::connect(rig.address).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let send = async |path: &str| {
            let mut requests = requests.clone().ready().await.unwrap();
            let uri = format!("http://{HOST}{path}");
            let (response, _) = requests.send_request(Request::get(uri).body(()).unwrap(), true).unwrap();
            timeout(PATIENCE, response).await.expect("an answer in time").expect("an answer")
        };
        let stalled = send("/big").await;
        // The window of the stream fills, and nothing is given back.
        let free = async { while send("/").await.status() != StatusCode::OK {} };
        timeout(PATIENCE, free).await.expect(what);
        let mut body = stalled.into_body();
        let reset = async {
            loop {
                match body.data().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error.reason(),
                    None => panic!("{what}: it seems to be whole"),
                }
            }
        };
        assert_eq!(timeout(PATIENCE, reset).await.expect(what), Some(h2::Reason::CANCEL), "{what}");
        assert!(!connection.is_finished(), "{what}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up_whatever_the_revision_allows() {
    let app = app().await;
    let rig = Rig::with(Limits { client_stall_max: Duration::from_secs(1), ..Limits::default() }).await;
    rig.serve(RevisionConfig { timeout: Duration::ZERO, ..limited(1) }, &[&app]);
    let _stalled = stall(&rig).await;
    assert_eq!(rig.get("/").await.status, StatusCode::OK);
}

/// The timer that the kernel runs for each connection, as `/proc/net/tcp` has it: 2 is keep-alive.
fn timers(is_one: impl Fn(u16, u16) -> bool) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.split_once(':').unwrap().1, 16).unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    // Established ones.
    let rows = rows.filter(|row| row[3] == "01" && is_one(port(row[1]), port(row[2])));
    rows.map(|row| row[5].split_once(':').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn silent_peers_are_asked_whether_they_are_there() {
    let app = App::saying("hello").await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut client = rig.client().await;
    client.get("/").await;
    let (gateway, instance) = (rig.address.port(), app.address.port());
    // As soon as what was sent last is acknowledged.
    eventually("the client is asked", || timers(|local, _| local == gateway) == ["02"]).await;
    eventually("the instance is asked", || timers(|_, remote| remote == instance) == ["02"]).await;
}

#[tokio::test]
async fn an_http2_client_that_answers_no_ping_is_given_up() {
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { keep_alive: LONG, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    // The preface and empty settings; what is asked from then on has no answer.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut rest = Vec::new();
    let read = timeout(PATIENCE / 2, stream.read_to_end(&mut rest)).await.expect("closed");
    assert!(read.is_err() || !rest.is_empty());
    // One that answers stays.
    let mut client = Client::http2(rig.address).await;
    client.get("/").await;
    tokio::time::sleep(LONG * 3).await;
    assert_eq!(client.get("/").await.status, StatusCode::OK);
}

/// Sends so many headers after `before`, slowly. Answers whether the connection is closed before all of them are.
async fn drip(rig: &Rig, before: &[u8], pieces: usize) -> bool {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(before).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        for _ in 0..pieces {
            tokio::time::sleep(LONG / 20).await;
            if writer.write_all(b"x: y\r\n").await.is_err() {
                return true;
            }
        }
        false
    };
    let closed = async {
        let mut rest = Vec::new();
        let _ = reader.read_to_end(&mut rest).await;
    };
    tokio::select! {
        closed = dripping => closed,
        () = closed => true,
    }
}

#[tokio::test]
async fn a_head_has_its_time_however_it_drips() {
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { head_max: LONG, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    assert!(drip(&rig, b"GET / HTTP/1.1\r\n", 200).await, "the first head");
    let one_and_a_bit = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\nGET / HTTP/1.1\r\n");
    assert!(drip(&rig, one_and_a_bit.as_bytes(), 200).await, "a later head");
    // A connection may be unused for longer.
    let mut client = rig.client().await;
    client.get("/").await;
    tokio::time::sleep(LONG * 2).await;
    assert_eq!(client.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_client_does_not_have_all_connections() {
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { connections_per_client_max: 2, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let (mut one, mut two) = (rig.client().await, rig.client().await);
    assert_eq!((one.get("/").await.status, two.get("/").await.status), (StatusCode::OK, StatusCode::OK));
    let mut third = TcpStream::connect(rig.address).await.unwrap();
    assert!(matches!(timeout(PATIENCE, third.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)));
    drop(one);
    let again = async {
        loop {
            let stream = TcpStream::connect(rig.address).await.unwrap();
            let (mut sender, driver) =
                hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
            let driver = tokio::spawn(driver);
            let answer = sender.send_request(get("/")).await;
            driver.abort();
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("a place is free");
}
