//! Requests to an API server over one connection that is kept, as client-go makes them: HTTP/2 over TLS.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use h2::{
    RecvStream,
    client::{Builder, SendRequest},
};
use http::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::kubeconfig::Access;

/// The longest that connecting may take, both handshakes included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The longest that an answer may take, to its end.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// The longest answer.
const ANSWER_BYTES_MAX: usize = 128 << 20;
/// How much of an answer is sent before it is read. As Go's client has it, so that a long list does not wait for us.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 30;
const JSON: &str = "application/json";

/// A connection of the admin's. Cheap to clone; it ends with the last clone and the last answer.
#[derive(Clone)]
pub(crate) struct Connection {
    requests: SendRequest<Bytes>,
    origin: String,
}

impl Connection {
    pub(crate) async fn open(access: &Access) -> Result<Self> {
        let opened = timeout(CONNECT_MAX, Self::handshake(access)).await;
        opened.with_context(|| {
            format!("no connection to {} within {} s", access.address, CONNECT_MAX.as_secs())
        })?
    }

    async fn handshake(Access { address, tls }: &Access) -> Result<Self> {
        let mut tls = ClientConfig::clone(tls);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(address).await?;
        // While nobody listens, the kernel may choose this very port for our own end, and connect it to itself.
        ensure!(stream.local_addr()? != *address, "connected to itself");
        stream.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await?;
        let mut client = Builder::new();
        client.enable_push(false);
        client.initial_window_size(STREAM_WINDOW_BYTES);
        client.initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        let (requests, connection) = client.handshake::<_, Bytes>(stream).await?;
        // How it ended, those see who wait for an answer.
        tokio::spawn(async move { _ = connection.await });
        Ok(Self { requests, origin: format!("https://{address}") })
    }

    /// The whole answer to a request. Refuses what is no success.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Vec<u8>> {
        let what = format!("{method} {path}");
        let answered = async {
            let answer = self.send(method, path, body).await?;
            let status = answer.status();
            let answer = whole(answer.into_body()).await?;
            if !status.is_success() {
                bail!("answered {status}: {}", String::from_utf8_lossy(&answer).trim());
            }
            anyhow::Ok(answer)
        };
        timeout(ANSWER_MAX, answered).await.unwrap_or_else(|_| late()).context(what)
    }

    /// Only the status of an answer.
    pub(crate) async fn status(&self, path: &str) -> Result<StatusCode> {
        let answered = async {
            let answer = self.send(Method::GET, path, None).await?;
            let status = answer.status();
            whole(answer.into_body()).await?;
            anyhow::Ok(status)
        };
        timeout(ANSWER_MAX, answered).await.unwrap_or_else(|_| late()).with_context(|| path.to_owned())
    }

    /// An answer that goes on, such as a watch's, when it has begun. [`next`] reads it.
    pub(crate) async fn begin(&self, path: &str) -> Result<RecvStream> {
        let begun = async {
            let answer = self.send(Method::GET, path, None).await?;
            ensure!(answer.status().is_success(), "answered {}", answer.status());
            anyhow::Ok(answer.into_body())
        };
        timeout(ANSWER_MAX, begun).await.unwrap_or_else(|_| late()).with_context(|| path.to_owned())
    }

    async fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Response<RecvStream>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        request = request.header(ACCEPT, JSON);
        if let Some(body) = &body {
            request = request.header(CONTENT_TYPE, JSON).header(CONTENT_LENGTH, body.len());
        }
        let mut requests = self.requests.clone().ready().await?;
        let (answer, mut upload) = requests.send_request(request.body(())?, body.is_none())?;
        if let Some(body) = body {
            upload.send_data(body, true)?;
        }
        Ok(answer.await?)
    }
}

/// The next piece of an answer; `None` at its end.
pub(crate) async fn next(answer: &mut RecvStream) -> Result<Option<Bytes>> {
    let Some(piece) = answer.data().await.transpose()? else { return Ok(None) };
    // As much more may be sent.
    answer.flow_control().release_capacity(piece.len())?;
    Ok(Some(piece))
}

async fn whole(mut answer: RecvStream) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = next(&mut answer).await? {
        all.extend_from_slice(&piece);
        ensure!(all.len() <= ANSWER_BYTES_MAX, "an answer of more than {ANSWER_BYTES_MAX} bytes");
    }
    Ok(all)
}

fn late<T>() -> Result<T> {
    bail!("not answered within {} s", ANSWER_MAX.as_secs())
}
