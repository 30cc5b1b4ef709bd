//! Connections and time are bounded.

use std::time::Duration;

use apiserver::Limits;
use bytes::Bytes;
use h2::RecvStream;
use http::Response;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::rig::{PATIENCE, Rig};

const CMS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn one_connection_too_many_waits_for_its_place() {
    let rig = Rig::with_limits(Limits { connections_max: 1, ..Limits::default() }).await;
    let mut watch = rig.watch(&format!("{CMS}?watch=true"), &[]).await;
    rig.client()
        .create(resources::builtin::ConfigMap { metadata: crate::rig::named("a"), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(watch.next().await.unwrap()["type"], json!("ADDED"));
    let mut second = Box::pin(rig.call("GET", CMS, &[], ""));
    assert!(timeout(Duration::from_millis(200), &mut second).await.is_err(), "there is no place");
    drop(watch);
    assert_eq!(second.await.code, 200);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_cut_off() {
    let rig =
        Rig::with_limits(Limits { handshake_timeout: Duration::from_millis(100), ..Limits::default() }).await;
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let read = timeout(PATIENCE, silent.read(&mut [0; 16])).await.expect("the server hangs up");
    assert!(matches!(read, Ok(0) | Err(_)));
}

/// Limits under which a test sees a connection end.
fn short() -> Limits {
    let short = Duration::from_millis(100);
    Limits {
        handshake_timeout: short,
        idle_timeout: short,
        keep_alive_interval: short,
        keep_alive_timeout: short,
        answer_stall_max: short,
        ..Limits::default()
    }
}

/// Waits until the server hangs up.
async fn until_cut(mut stream: impl AsyncRead + Unpin, about: &str) {
    let all = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    // Whether it ends in order does not matter here.
    _ = all.unwrap_or_else(|_| panic!("{about}: the server hangs up"));
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_loses_its_place() {
    let rig = Rig::with_limits(short()).await;
    for (protocol, said) in [
        ("http/1.1", &b""[..]),
        ("http/1.1", b"GET /version HTTP/1.1\r\nhost: localhost\r\n"),
        ("http/1.1", b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        ("h2", b""),
        ("h2", b"PRI * HTTP/2.0"),
        ("h2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    ] {
        let mut stream = rig.stream(protocol).await;
        stream.write_all(said).await.unwrap();
        until_cut(stream, &format!("{protocol} {:?}", String::from_utf8_lossy(said))).await;
    }
    let (sender, connection) = h2::client::handshake(rig.stream("h2").await).await.unwrap();
    let asked = http::Request::get("https://localhost/version").body(()).unwrap();
    let (answer, _) = sender.clone().ready().await.unwrap().send_request(asked, true).unwrap();
    let ends = tokio::spawn(connection);
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 200);
    timeout(PATIENCE, ends).await.expect("an idle connection ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_watch_is_asked_for_as_long_as_it_lasts() {
    let rig = Rig::with_limits(short()).await;
    let path = format!("{CMS}?watch=true&resourceVersion=1");
    let mut watch = rig.watch(&path, &[]).await;
    let (sender, connection) = h2::client::handshake(rig.stream("h2").await).await.unwrap();
    let asked = http::Request::get(format!("https://localhost{path}")).body(()).unwrap();
    let (answer, _) = sender.clone().ready().await.unwrap().send_request(asked, true).unwrap();
    tokio::spawn(connection);
    let mut second = timeout(PATIENCE, answer).await.unwrap().unwrap().into_body();
    // Others come and are cut meanwhile.
    for _ in 0..5 {
        until_cut(rig.stream("http/1.1").await, "silent").await;
    }
    rig.post(CMS, &json!({"metadata": {"name": "late"}})).await;
    assert_eq!(watch.next_name().await, ("ADDED".into(), "late".into()));
    let line = timeout(PATIENCE, second.data()).await.unwrap().unwrap().unwrap();
    assert!(String::from_utf8_lossy(&line).contains("\"late\""), "{line:?}");
}

#[tokio::test]
async fn a_client_that_is_gone_without_a_word_loses_its_place() {
    let rig = Rig::with_limits(Limits { connections_max: 1, ..short() }).await;
    let (sender, mut connection) = h2::client::handshake(rig.stream("h2").await).await.unwrap();
    let path = format!("https://localhost{CMS}?watch=true&resourceVersion=1");
    let asked = http::Request::get(path).body(()).unwrap();
    let (answer, _) = sender.clone().ready().await.unwrap().send_request(asked, true).unwrap();
    tokio::select! {
        watching = answer => assert_eq!(watching.unwrap().status(), 200),
        _ = &mut connection => panic!("the connection goes on"),
    }
    // It is open and nobody is there who would answer a ping.
    let next = timeout(PATIENCE, rig.call("GET", CMS, &[], "")).await;
    assert_eq!(next.expect("there is a place again").code, 200);
    drop(connection);
}

/// An answer to a client that has no room for it, and the end of its connection.
async fn without_room(rig: &Rig) -> (Response<RecvStream>, JoinHandle<Result<(), h2::Error>>) {
    let mut client = h2::client::Builder::new();
    client.initial_window_size(0);
    let connecting = client.handshake::<_, Bytes>(rig.stream("h2").await);
    let (sender, connection) = connecting.await.unwrap();
    let ends = tokio::spawn(connection);
    let asked = http::Request::get(format!("https://localhost{CMS}")).body(()).unwrap();
    let (answer, _) = sender.ready().await.unwrap().send_request(asked, true).unwrap();
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    (answer, ends)
}

async fn until_there_is_a_place(rig: &Rig) {
    let answered = async { while rig.call("GET", CMS, &[], "").await.code != 200 {} };
    timeout(PATIENCE, answered).await.expect("there is a place again");
}

#[tokio::test]
async fn an_answer_has_its_place_until_it_is_taken() {
    let rig = Rig::with_limits(Limits { reads_in_flight_max: 1, ..Limits::default() }).await;
    let (answer, _open) = without_room(&rig).await;
    assert_eq!(rig.call("GET", CMS, &[], "").await.code, 429);
    drop(answer);
    until_there_is_a_place(&rig).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let stall = Duration::from_millis(100);
    let rig =
        Rig::with_limits(Limits { reads_in_flight_max: 1, answer_stall_max: stall, ..Limits::default() })
            .await;
    let (_answer, ends) = without_room(&rig).await;
    _ = timeout(PATIENCE, ends).await.expect("the server hangs up");
    until_there_is_a_place(&rig).await;
}
