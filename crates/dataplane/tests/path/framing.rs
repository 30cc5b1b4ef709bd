//! Where a request's body ends, and which headers are only between two neighbours.

use bytes::Bytes;
use dataplane::{Limits, Protocol, RevisionConfig};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rig::{App, Client, HOST, PATIENCE, Rig, limited, reply, text};

/// Answers with the body that it got, in a header too.
async fn echo() -> App {
    App::new(|request: Request<Incoming>| async move {
        let is_head = request.method() == Method::HEAD;
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let mut response = Response::new(reply(if is_head { Bytes::new() } else { body }));
        response.headers_mut().insert("x-body", text.parse().unwrap());
        response
    })
    .await
}

#[tokio::test]
async fn a_body_without_a_length_arrives_whatever_the_method() {
    let app = echo().await;
    for protocol in [Protocol::Http1, Protocol::H2c] {
        let rig = Rig::serving(RevisionConfig { protocol, ..limited(0) }, &[&app]).await;
        for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS, Method::POST] {
            for mut client in [Client::http1(rig.address).await, Client::http2(rig.address).await] {
                let frames = ["a ", "body"].map(|part| Ok(Frame::data(Bytes::from(part))));
                let body = BodyExt::boxed(StreamBody::new(futures::stream::iter(frames)));
                let request = Request::builder().method(&method).uri("/").header(header::HOST, HOST);
                // hyper's client, too, must be told that a GET has a body.
                let request = match client {
                    Client::Http1(_) => request.header(header::TRANSFER_ENCODING, "chunked"),
                    Client::Http2(_) => request,
                };
                let reply = client.read(request.body(body).unwrap()).await;
                assert_eq!(reply.header("x-body"), Some("a body"), "{method} to {protocol:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_line_of_connection_counts_and_none_removes_what_a_request_needs() {
    let app = App::new(|request: Request<Incoming>| async move {
        let names = request.headers().keys().map(|name| format!("{name}\n")).collect::<String>();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(reply(format!("{names}{}", String::from_utf8_lossy(&body))))
    })
    .await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 4\r\nx-one: 1\r\nx-two: 2\r\nx-three: 3\r\n\
         x-forwarded-for: 10.0.0.1\r\nforwarded: for=10.0.0.1\r\nx-forwarded-proto: https\r\n\
         connection: close, x-one, host\r\nconnection: x-two, content-length\r\n\
         connection: forwarded, x-forwarded-for, x-forwarded-proto\r\n\r\nbody"
    );
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let lines: Vec<_> = answer.lines().collect();
    for there in
        ["host", "content-length", "x-three", "forwarded", "x-forwarded-for", "x-forwarded-proto", "body"]
    {
        assert!(lines.contains(&there), "no {there} in {answer}");
    }
    for absent in ["x-one", "x-two", "connection"] {
        assert!(!lines.contains(&absent), "{absent} in {answer}");
    }
}

/// An application that takes two requests at once on a connection.
async fn narrow(gate: &std::sync::Arc<crate::rig::Gate>) -> App {
    let gate = std::sync::Arc::clone(gate);
    let script = move |_| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            gate.pass().await;
            text("passed")
        }
    };
    App::with_streams_max(2, script).await
}

#[tokio::test]
async fn requests_beyond_what_a_connection_carries_take_another() {
    for limits in [Limits::default(), Limits { instance_streams_max: 2, ..Limits::default() }] {
        let own = limits.instance_streams_max == 2;
        let gate = crate::rig::Gate::closed();
        let app = if own { App::gated(&gate).await } else { narrow(&gate).await };
        let rig = Rig::with(limits).await;
        rig.serve(RevisionConfig { protocol: Protocol::H2c, ..limited(0) }, &[&app]);
        // From the first answer on it is known how many the instance takes.
        gate.admit(1);
        assert_eq!(rig.get("/").await.status, StatusCode::OK);
        let mut answers = tokio::task::JoinSet::new();
        for _ in 0..7 {
            let mut client = rig.client().await;
            answers.spawn(async move { client.get("/").await.status });
        }
        crate::rig::eventually("all are with the application", || app.at_once() == 7).await;
        gate.admit(7);
        assert!(answers.join_all().await.iter().all(|status| *status == StatusCode::OK));
        assert!((4..=7).contains(&app.connections()), "{}", app.connections());
        // They are used again.
        let before = app.connections();
        gate.admit(1);
        assert_eq!(rig.get("/").await.status, StatusCode::OK);
        assert_eq!(app.connections(), before);
    }
}
