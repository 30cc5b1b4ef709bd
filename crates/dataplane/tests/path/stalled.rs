//! Clients that stop reading, stop talking, or never finish what they began.

use std::io::ErrorKind;
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

use crate::rig::{App, Client, HOST, PATIENCE, Rig, Still, eventually, get, limited, text};

const LIMIT: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(1);
/// How long the gateway gives a connection that it closes to end as its protocol has it.
const GOODBYE: Duration = Duration::from_secs(1);

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
        ("timeoutSeconds", RevisionConfig { timeout: LIMIT, ..none }),
        ("idleTimeoutSeconds", RevisionConfig { idle_timeout: LIMIT, ..none }),
    ]
}

/// Lets time pass until the gateway has let go of the response that nobody reads, which must not be before the limit.
async fn until_cut(rig: &Rig, time: &Still, app: &App) {
    rig.caught_up().await;
    time.passes(LIMIT - TICK).await;
    rig.caught_up().await;
    assert_eq!(app.at_once(), 1, "too early");
    // What the buffers on the way still took meanwhile counts as progress.
    for _ in 0..10 {
        time.passes(LIMIT).await;
        rig.caught_up().await;
        if app.at_once() == 0 {
            return;
        }
    }
    panic!("the application was not let go");
}

#[tokio::test(start_paused = true)]
async fn the_revisions_timeouts_end_a_response_that_nobody_reads() {
    let time = Still::new();
    for (what, config) in timeouts() {
        let app = app().await;
        let rig = Rig::serving(config, &[&app]).await;
        let mut stalled = stall(&rig).await;
        let waiting = rig.enter("/").await;
        assert!(!waiting.is_finished(), "{what}: it has the only slot");
        waiting.abort();
        until_cut(&rig, &time, &app).await;
        assert_eq!(rig.get("/").await.status, StatusCode::OK, "{what}");
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.expect("the connection ends");
        assert!(read.is_err() || !rest.ends_with(b"0\r\n\r\n"), "{what}: it seems to be whole");
    }
}

#[tokio::test(start_paused = true)]
async fn in_http2_only_the_stream_ends() {
    let time = Still::new();
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
        until_cut(&rig, &time, &app).await;
        assert_eq!(send("/").await.status(), StatusCode::OK, "{what}");
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

/// The kernel counts this time, which no test can hold still.
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

const SETTINGS_ACK: (u8, u8) = (4, 1);
const PING: (u8, u8) = (6, 0);

/// The kind and the flags of the next HTTP/2 frame.
async fn frame(stream: &mut TcpStream) -> (u8, u8) {
    let read = async {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        (kind, flags)
    };
    timeout(PATIENCE, read).await.expect("a frame in time")
}

/// Whether a connection on which nothing is to be read has not been closed.
fn is_open(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

async fn closes(stream: &mut TcpStream) {
    let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("closed");
}

#[tokio::test(start_paused = true)]
async fn an_http2_client_that_answers_no_ping_is_given_up() {
    let time = Still::new();
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { keep_alive: LIMIT, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    // The preface and empty settings; what is asked from then on has no answer.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    while frame(&mut stream).await != SETTINGS_ACK {}
    time.passes(LIMIT).await;
    while frame(&mut stream).await != PING {}
    time.passes(LIMIT - TICK).await;
    rig.caught_up().await;
    assert!(is_open(&stream), "too early");
    time.passes(TICK).await;
    closes(&mut stream).await;
    // One that answers stays.
    let mut client = Client::http2(rig.address).await;
    client.get("/").await;
    for _ in 0..3 {
        time.passes(LIMIT).await;
        // The ping is sent before the second answer, and what is answered to it before the third request.
        for _ in 0..3 {
            assert_eq!(client.get("/").await.status, StatusCode::OK);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_has_its_time_however_it_drips() {
    const PIECES: u32 = 20;
    let time = Still::new();
    let app = App::saying("hello").await;
    let rig = Rig::with(Limits { head_max: LIMIT, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let one_and_a_bit = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\nGET / HTTP/1.1\r\n");
    let cases =
        [("the first head", "GET / HTTP/1.1\r\n", ""), ("a later head", one_and_a_bit.as_str(), "hello")];
    for (what, begin, answer) in cases {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut heard: Vec<u8> = Vec::new();
        while !heard.ends_with(answer.as_bytes()) {
            let read = timeout(PATIENCE, stream.read_buf(&mut heard)).await.expect(what).unwrap();
            assert!(read > 0, "{what}: closed before it was answered");
        }
        for _ in 0..PIECES {
            assert!(is_open(&stream), "{what}: too early");
            stream.write_all(b"x: y\r\n").await.unwrap();
            rig.caught_up().await;
            time.passes(LIMIT / PIECES).await;
        }
        time.passes(GOODBYE).await;
        closes(&mut stream).await;
    }
    // A connection may be unused for longer.
    let mut client = rig.client().await;
    client.get("/").await;
    time.passes(LIMIT * 2).await;
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
