//! Upgraded connections: WebSocket and its like.

use std::time::Duration;

use dataplane::{Limits, Protocol, RevisionConfig};
use http::{Request, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::rig::{App, Client, PATIENCE, Rig, Still, eventually, get, limited, text};

const IDLE_MAX: Duration = Duration::from_secs(60);
/// A tunnel is looked at so often within that time, and closed up to as much later.
const LOOK: Duration = Duration::from_secs(15);

/// Switches to whatever is asked for, says `early` and then repeats what it hears.
async fn parrot() -> App {
    App::new(|mut request: Request<Incoming>| async move {
        assert_eq!(request.headers()[header::CONNECTION], "upgrade");
        let protocol = request.headers()[header::UPGRADE].clone();
        tokio::spawn(async move {
            let mut stream = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
            stream.write_all(b"early").await.unwrap();
            let mut buffer = [0; 16];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..read]).await.unwrap();
            }
        });
        let mut response = text("");
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
        response.headers_mut().insert(header::UPGRADE, protocol);
        response
    })
    .await
}

fn upgrading(protocols: &str) -> Request<crate::rig::ClientBody> {
    let mut request = get("/");
    request.headers_mut().insert(header::CONNECTION, "Upgrade, HTTP2-Settings".parse().unwrap());
    request.headers_mut().insert(header::UPGRADE, protocols.parse().unwrap());
    request
}

async fn tunnel(client: &mut Client) -> TokioIo<Upgraded> {
    let response = client.send(upgrading("websocket")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()[header::UPGRADE], "websocket");
    let mut stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut early = [0; 5];
    timeout(PATIENCE, stream.read_exact(&mut early)).await.unwrap().unwrap();
    assert_eq!(&early, b"early");
    stream
}

async fn say(stream: &mut TokioIo<Upgraded>, word: &[u8; 5]) {
    stream.write_all(word).await.unwrap();
    let mut heard = [0; 5];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, word);
}

#[tokio::test]
async fn bytes_pass_both_ways_and_hold_the_slot() {
    let app = parrot().await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut client = rig.client().await;
    let mut stream = tunnel(&mut client).await;
    for word in [b"hello", b"world"] {
        say(&mut stream, word).await;
    }
    // A drain waits for it, too.
    let mut other = rig.client().await;
    let waiting = tokio::spawn(async move { other.get("/").await.status });
    rig.client().await.read(crate::rig::probe()).await;
    assert!(!waiting.is_finished());
    waiting.abort();
    rig.drain.cancel();
    eventually("nobody is let in", || std::net::TcpStream::connect(rig.address).is_err()).await;
    assert!(!rig.gateway.is_finished());
    drop(stream);
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_is_idle_ends_and_gives_its_slot_back() {
    let time = Still::new();
    let app = parrot().await;
    let rig = Rig::with(Limits { tunnel_idle_max: IDLE_MAX, ..Limits::default() }).await;
    rig.serve(limited(1), &[&app]);
    let mut client = rig.client().await;
    let mut stream = tunnel(&mut client).await;
    // One that is used stays.
    for _ in 0..4 {
        for _ in 0..3 {
            time.passes(LOOK).await;
        }
        say(&mut stream, b"hello").await;
    }
    for _ in 0..5 {
        time.passes(LOOK).await;
    }
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it ends");
    assert!(read.is_err() || rest.is_empty());
    let mut next = rig.client().await;
    tunnel(&mut next).await;
}

#[tokio::test]
async fn it_counts_as_a_connection() {
    let app = parrot().await;
    let rig = Rig::with(Limits { connections_max: 1, ..Limits::default() }).await;
    rig.serve(limited(0), &[&app]);
    let mut client = rig.client().await;
    let mut stream = tunnel(&mut client).await;
    let mut second = rig.client().await;
    let waiting = tokio::spawn(async move { second.read(crate::rig::probe()).await.status });
    // All this goes through the gateway, which would let the other one in meanwhile.
    for _ in 0..10 {
        say(&mut stream, b"still").await;
    }
    assert!(!waiting.is_finished(), "there is no place");
    drop(stream);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
    tunnel(&mut rig.client().await).await;
}

/// curl and Java's HttpClient ask for h2c in passing, with requests that are nothing else.
#[tokio::test]
async fn a_wish_for_h2c_is_ignored() {
    let app = App::new(|request: Request<Incoming>| async move {
        assert!(!request.headers().contains_key(header::UPGRADE), "{:?}", request.headers());
        assert!(!request.headers().contains_key("http2-settings"), "{:?}", request.headers());
        text(if request.version() == Version::HTTP_2 { "2" } else { "1" })
    })
    .await;
    for (protocol, expect) in [(Protocol::Http1, "1"), (Protocol::H2c, "2")] {
        let rig = Rig::serving(RevisionConfig { protocol, ..limited(0) }, &[&app]).await;
        let mut request = upgrading("h2c");
        request.headers_mut().insert("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA".parse().unwrap());
        let reply = rig.client().await.read(request).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, expect), "{protocol:?}");
    }
}

#[tokio::test]
async fn what_else_is_asked_for_remains() {
    let app = App::new(|request: Request<Incoming>| async move {
        let asked = request.headers().get(header::UPGRADE).map(|value| value.to_str().unwrap().to_owned());
        http::Response::new(crate::rig::reply(asked.unwrap_or_default()))
    })
    .await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut without_option = upgrading("websocket");
    without_option.headers_mut().remove(header::CONNECTION);
    let cases = [
        (upgrading("h2c, websocket"), "websocket"),
        (upgrading("websocket"), "websocket"),
        (without_option, ""),
    ];
    for (request, expect) in cases {
        assert_eq!(rig.client().await.read(request).await.body, expect);
    }
}
