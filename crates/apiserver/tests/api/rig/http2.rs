//! An HTTP/2 client that sees every frame: also the reset of a stream, which libraries for daily use hide.

use std::{future::poll_fn, sync::Arc};

use bytes::{Bytes, BytesMut};
use h2::{Reason, SendStream, client::SendRequest};
use http::{HeaderMap, Method, Request, header};
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Answer, PATIENCE, Rig};

/// One connection.
pub(crate) struct Http2(SendRequest<Bytes>);

/// When a client sends the body of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// While it waits for the answer, and without saying how long it is.
    Meanwhile,
    /// When it has the whole answer; its length is said at once.
    After,
    /// Never, and it waits for what the server makes of that.
    Never,
}

impl Rig {
    /// A connection of the admin's over which nothing was said yet.
    pub(crate) async fn stream(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut config = rustls::ClientConfig::clone(self.admin.tls.config());
        config.alpn_protocols = vec![protocol.into()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// Connects as the admin.
    pub(crate) async fn http2(&self) -> Http2 {
        let (sender, connection) = h2::client::handshake(self.stream("h2").await).await.unwrap();
        tokio::spawn(connection);
        Http2(sender)
    }
}

impl Http2 {
    /// Sends a request; what comes back, and why the server would not take its whole body, if it would not.
    pub(crate) async fn call(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Bytes,
        when: When,
    ) -> (Answer, Result<(), Reason>) {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("https://localhost{path}"));
        if let When::After = when {
            request = request.header(header::CONTENT_LENGTH, body.len());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut sender = self.0.clone().ready().await.unwrap();
        let (response, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
        let answered = async move { answer(response.await?).await };
        let both = async {
            match when {
                When::Never => {
                    let answer = answered.await;
                    let reset = poll_fn(|context| stream.poll_reset(context)).await;
                    (answer, Err(reset.expect("the connection goes on")))
                }
                When::Meanwhile => tokio::join!(answered, send(&mut stream, body)),
                When::After => {
                    let answer = answered.await;
                    (answer, send(&mut stream, body).await)
                }
            }
        };
        let (answer, sent) =
            timeout(PATIENCE, both).await.unwrap_or_else(|_| panic!("{method} {path} {when:?}: no answer"));
        (answer.unwrap_or_else(|error| panic!("{method} {path}: no answer: {error}")), sent)
    }
}

async fn answer(response: http::Response<h2::RecvStream>) -> Result<Answer, h2::Error> {
    let (parts, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.data().await.transpose()? {
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    let headers: HeaderMap = parts.headers;
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { code: parts.status.as_u16(), headers, text, json })
}

async fn send(stream: &mut SendStream<Bytes>, mut body: Bytes) -> Result<(), Reason> {
    let reset = |error: h2::Error| error.reason().unwrap_or(Reason::INTERNAL_ERROR);
    loop {
        stream.reserve_capacity(body.len());
        let room = match body.len() {
            0 => 0,
            _ => match poll_fn(|context| stream.poll_capacity(context)).await {
                Some(room) => room.map_err(reset)?,
                None => {
                    return Err(poll_fn(|context| stream.poll_reset(context)).await.unwrap_or_else(reset));
                }
            },
        };
        let piece = body.split_to(room.min(body.len()));
        stream.send_data(piece, body.is_empty()).map_err(reset)?;
        if body.is_empty() {
            return Ok(());
        }
    }
}
