//! What passes between a client and a container, through the gateway of the real binary.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use bytes::Bytes;
use futures::SinkExt;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::{
    body::{Body, Frame, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::time::timeout;

use crate::rig::{Ebb, need_kubectl, need_root, send, service_soon_idle};

/// For what must come while the other side waits for more.
const SOON: Duration = Duration::from_secs(20);

const MUTE: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: mute}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1", ports: [{name: h2c, containerPort: 8080}]}]}}}
"#;

#[test]
fn whatever_is_spoken_reaches_the_container_and_comes_back() {
    const NAME: &str = "whatever_is_spoken_reaches_the_container_and_comes_back";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(&service_soon_idle("app"));
    ebb.apply(MUTE);
    let url = ebb.ready("app");
    let host = url.strip_prefix("http://").unwrap();
    websocket(ebb.http, host);
    streams(ebb.http, host);
    headers(ebb.http, host);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(h2c(ebb.http, &url));
    // By its port's name the app is spoken to in HTTP/2 alone, which this one does not understand.
    let mute = ebb.ready("mute");
    assert_eq!(ebb.call(&mute).status, 502);
    // A connection that is upgraded is a request in hand, and wakes what is at zero.
    ebb.at_zero("serving.knative.dev/service=app");
    websocket(ebb.http, host);
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// Reads to the end of this text, and returns what there was.
fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(end.as_bytes()) {
        let read = stream.read(&mut byte);
        assert!(matches!(read, Ok(1)), "{read:?} after {:?}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// The example of RFC 6455 (1.3, 5.7), and a message beyond what one read takes.
fn websocket(address: SocketAddr, host: &str) {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut stream = connect(address);
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).unwrap();
    let head = read_to(&mut stream, "\r\n\r\n").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    for message in ["Hello".into(), "x".repeat(60_000)] {
        let length = message.len();
        let lengths = match u8::try_from(length) {
            Ok(short) if short < 126 => vec![short],
            _ => vec![126, (length >> 8) as u8, length as u8],
        };
        let mut frame = vec![0x81, 0x80 | lengths[0]];
        frame.extend(&lengths[1..]);
        frame.extend(MASK);
        frame.extend(message.bytes().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        stream.write_all(&frame).unwrap();
        let mut echo = vec![0; 1 + lengths.len() + length];
        stream.read_exact(&mut echo).unwrap();
        assert_eq!((echo[0], &echo[1..=lengths.len()]), (0x81, &*lengths));
        assert!(echo.ends_with(message.as_bytes()), "{length} bytes come back");
    }
    stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, [0x88, 0], "closed by both sides");
}

/// Each piece comes back before the next one is sent.
fn streams(address: SocketAddr, host: &str) {
    let mut stream = connect(address);
    let head = format!("POST /echo HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    for piece in ["first", "then this", "and more"] {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
        let heard = read_to(&mut stream, &format!("{piece}\r\n"));
        assert!(heard.ends_with(&format!("{:x}\r\n{piece}\r\n", piece.len())), "{heard}");
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_to(&mut stream, "0\r\n\r\n"), "0\r\n\r\n");
    // And down alone, as it is made: the last is not there before its time.
    stream.write_all(format!("GET /stream?n=3&ms=50 HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
    for number in 0..3 {
        read_to(&mut stream, &format!("chunk {number}\n\r\n"));
    }
}

/// What the app is told of who asks (upstream: serving, queue-proxy's `Forwarded`).
fn headers(address: SocketAddr, host: &str) {
    let (name, _) = host.split_once(':').unwrap();
    for (sent, expect) in [
        (
            "X-Own: 1",
            &[
                ("host", Some(host)),
                ("x-own", Some("1")),
                ("x-forwarded-for", Some("127.0.0.1")),
                ("x-forwarded-proto", Some("http")),
                ("forwarded", Some("for=127.0.0.1;proto=http")),
                ("k-proxy-request", None),
                ("knative-serving-revision", None),
                ("knative-serving-namespace", None),
            ][..],
        ),
        (
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https",
            &[
                ("x-forwarded-for", Some("192.0.2.7, 127.0.0.1")),
                ("x-forwarded-proto", Some("https")),
                ("x-forwarded-host", Some("shop.example")),
                ("forwarded", Some("for=192.0.2.7;host=shop.example;proto=https, for=127.0.0.1")),
            ],
        ),
        ("Forwarded: for=192.0.2.8", &[("forwarded", Some("for=192.0.2.8"))]),
        ("K-Original-Host: evil.example", &[("host", Some(host)), ("k-original-host", None)]),
    ] {
        let request = format!("GET /headers HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{sent}\r\n\r\n");
        let answer = send(address, &request);
        let heard: Value = serde_json::from_str(&answer.body).unwrap();
        for (header, expect) in expect {
            assert_eq!(heard[header].as_str(), *expect, "{header} after {sent:?}, for {name}: {heard}");
        }
    }
}

async fn connected<B>(address: SocketAddr) -> SendRequest<B>
where
    B: Body<Data = Bytes, Error = std::io::Error> + Send + Unpin + 'static,
{
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn piece(body: &mut Incoming) -> Bytes {
    let frame = timeout(SOON, body.frame()).await.expect("a piece comes at once").unwrap().unwrap();
    frame.into_data().unwrap()
}

/// By prior knowledge: several requests at once on one connection, and a body that streams both ways.
async fn h2c(address: SocketAddr, url: &str) {
    let mut sender = connected(address).await;
    let asked = (0..8).map(|number| {
        let slow = format!("{url}/sleep?ms={}", number % 2 * 100);
        let body = Empty::<Bytes>::new().map_err(|never| match never {});
        sender.send_request(Request::get(slow).body(body).unwrap())
    });
    for answer in futures::future::join_all(asked.collect::<Vec<_>>()).await {
        let answer = answer.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "slept\n");
    }
    let mut sender = connected(address).await;
    let (mut pieces, receiver) = futures::channel::mpsc::channel(1);
    let request = Request::post(format!("{url}/echo")).body(StreamBody::new(receiver)).unwrap();
    let answer = timeout(SOON, sender.send_request(request)).await.expect("the head comes at once").unwrap();
    let mut body = answer.into_body();
    for sent in ["first", "then this", "and more"] {
        pieces.send(Ok(Frame::data(Bytes::from(sent)))).await.unwrap();
        assert_eq!(piece(&mut body).await, sent);
    }
    drop(pieces);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "");
}
