//! Connections and time are bounded.

use std::time::Duration;

use apiserver::Limits;
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

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
