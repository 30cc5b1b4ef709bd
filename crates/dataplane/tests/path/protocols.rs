use bytes::Bytes;
use dataplane::{Protocol, RevisionConfig};
use futures::SinkExt;
use futures::channel::mpsc;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::rig::{App, Client, HOST, PATIENCE, Rig, empty, get, instance, limited, reply, revision, text};

type Frames = mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>;

/// A request body that the test sends frame by frame.
fn upload(method: Method) -> (Frames, Request<crate::rig::ClientBody>) {
    let (sender, receiver) = mpsc::channel(1);
    let body = BodyExt::boxed(StreamBody::new(receiver));
    let request = Request::builder().method(method).uri("/").header(header::HOST, HOST).body(body).unwrap();
    (sender, request)
}

/// Sends back whatever arrives, frame by frame, trailers too.
async fn echo() -> App {
    App::new(|request: Request<Incoming>| async move {
        Response::new(request.into_body().map_err(std::io::Error::other).boxed())
    })
    .await
}

async fn data(body: &mut Incoming) -> Bytes {
    let frame = timeout(PATIENCE, body.frame()).await.expect("a frame in time").unwrap().unwrap();
    frame.into_data().unwrap()
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let app = echo().await;
    for protocol in [Protocol::Http1, Protocol::H2c] {
        let rig = Rig::serving(RevisionConfig { protocol, ..limited(1) }, &[&app]).await;
        for mut client in [Client::http1(rig.address).await, Client::http2(rig.address).await] {
            let (mut frames, request) = upload(Method::POST);
            // HTTP/1.1 servers answer after the first bytes; so one frame goes ahead.
            frames.send(Ok(Frame::data("one".into()))).await.unwrap();
            let response = timeout(PATIENCE, client.send(request)).await.unwrap().unwrap();
            let mut body = response.into_body();
            assert_eq!(data(&mut body).await, "one");
            for chunk in ["two", "three"] {
                frames.send(Ok(Frame::data(chunk.into()))).await.unwrap();
                assert_eq!(data(&mut body).await, chunk, "{protocol:?}");
            }
            drop(frames);
            let rest = timeout(PATIENCE, body.collect()).await.unwrap().unwrap();
            assert_eq!(rest.to_bytes(), "");
        }
    }
}

#[tokio::test]
async fn a_large_body_passes_whole() {
    let app = echo().await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let large: Bytes = (0..4_000_000_u32).map(|index| (index % 251) as u8).collect();
    let request = Request::post("/").header(header::HOST, HOST).body(reply(large.clone())).unwrap();
    let response = rig.client().await.send(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "4000000");
    assert!(response.into_body().collect().await.unwrap().to_bytes() == large);
}

#[tokio::test]
async fn trailers_pass_as_grpc_needs_them() {
    let app = App::new(|request: Request<Incoming>| async move {
        assert_eq!(request.version(), Version::HTTP_2);
        assert_eq!(request.headers()[header::TE], "trailers");
        assert_eq!(request.uri().path(), "/ping.Ping/Ping");
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [Ok(Frame::data(Bytes::from_static(b"pong"))), Ok(Frame::trailers(trailers))];
        Response::new(BodyExt::boxed(StreamBody::new(futures::stream::iter(frames))))
    })
    .await;
    let rig = Rig::serving(RevisionConfig { protocol: Protocol::H2c, ..limited(0) }, &[&app]).await;
    let mut client = Client::http2(rig.address).await;
    for _ in 0..10 {
        let request = Request::post("/ping.Ping/Ping")
            .header(header::HOST, HOST)
            .header(header::TE, "trailers")
            .header(header::CONTENT_TYPE, "application/grpc")
            .body(reply("ping"))
            .unwrap();
        let reply = client.read(request).await;
        assert_eq!(reply.body, "pong");
        assert_eq!(reply.trailers.unwrap()["grpc-status"], "0");
    }
    assert_eq!(app.connections(), 1);
}

#[tokio::test]
async fn the_revision_says_how_its_application_is_spoken_to() {
    let app =
        App::new(|request| async move { text(if request.version() == Version::HTTP_2 { "2" } else { "1" }) })
            .await;
    for (protocol, expect) in [(Protocol::Http1, "1"), (Protocol::H2c, "2")] {
        let rig = Rig::serving(RevisionConfig { protocol, ..limited(0) }, &[&app]).await;
        for mut client in [Client::http1(rig.address).await, Client::http2(rig.address).await] {
            assert_eq!(client.get("/").await.body, expect);
        }
    }
}

/// An application that knows HTTP/1.1 alone answers what it takes for nonsense, and closes.
#[tokio::test]
async fn who_does_not_understand_http2_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = Rig::serving(RevisionConfig { protocol: Protocol::H2c, ..limited(0) }, &[]).await;
    rig.handle.set_instances(&revision("hello-00001"), vec![instance(listener.local_addr().unwrap())]);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let reply = timeout(PATIENCE, rig.get("/")).await.expect("an answer in time");
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn responses_without_a_body() {
    let app = App::new(|request: Request<Incoming>| async move {
        let status = if request.uri().path() == "/204" { StatusCode::NO_CONTENT } else { StatusCode::OK };
        let mut response = text(if status == StatusCode::OK { "body" } else { "" });
        *response.status_mut() = status;
        response
    })
    .await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut client = rig.client().await;
    for _ in 0..3 {
        let head = Request::head("/").header(header::HOST, HOST).body(empty()).unwrap();
        let head = client.read(head).await;
        assert_eq!(
            (head.status, head.header("content-length"), &*head.body),
            (StatusCode::OK, Some("4"), "")
        );
        assert_eq!(client.get("/204").await.status, StatusCode::NO_CONTENT);
        assert_eq!(client.get("/").await.body, "body");
    }
    assert_eq!(app.connections(), 1);
}

#[tokio::test]
async fn expect_continue_is_answered_before_the_body_is_sent() {
    let app = echo().await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head =
        format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut interim)).await.unwrap().unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    let mut answer = [0; 15];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_broken_response_is_not_taken_for_a_whole_one() {
    let (mut sender, receiver): (Frames, _) = mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let app = App::new(move |_| {
        let frames = receiver.lock().unwrap().take().expect("one request");
        async { Response::new(BodyExt::boxed(StreamBody::new(frames))) }
    })
    .await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    sender.send(Ok(Frame::data(Bytes::from_static(b"half")))).await.unwrap();
    let response = rig.client().await.send(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    assert_eq!(data(&mut body).await, "half");
    sender.send(Err(std::io::Error::other("crash"))).await.unwrap();
    assert!(timeout(PATIENCE, body.collect()).await.unwrap().is_err());
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_their_order() {
    let app = App::new(|request| async move { Response::new(reply(request.uri().path().to_owned())) }).await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let paths = ["/one", "/two", "/three"];
    let requests: String = paths.map(|path| format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n")).concat();
    let requests = requests.replacen("three HTTP/1.1", "three HTTP/1.1\r\nconnection: close", 1);
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answers)).await.unwrap().unwrap();
    let bodies: Vec<_> =
        answers.split("HTTP/1.1 200 OK").filter_map(|answer| answer.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(bodies, paths, "{answers}");
}
