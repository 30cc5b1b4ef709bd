//! One HTTP call, as a browser would make it.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::Instant};

/// What came back.
pub(super) struct Answer {
    pub(super) body: String,
    pub(super) server_timing: Option<String>,
    /// From before the connection was made until the body was read.
    pub(super) took: Duration,
}

/// Calls `url` at the address that serves it.
pub(super) async fn call(address: SocketAddr, url: &str) -> Result<Answer> {
    let uri: Uri = url.parse().with_context(|| format!("reading the URL {url}"))?;
    let host = uri.authority().context("the URL has no host")?.to_string();
    let began = Instant::now();
    let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get("/").header("host", host).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await.with_context(|| format!("calling {url}"))?;
    let status = response.status();
    let timing =
        response.headers().get("server-timing").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = response.into_body().collect().await?.to_bytes();
    let took = began.elapsed();
    driver.abort();
    let body = String::from_utf8_lossy(&body).into_owned();
    ensure!(status.is_success(), "{url} answered {status}: {body}");
    Ok(Answer { body, server_timing: timing, took })
}
