use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{HOST, PATIENCE};

pub(crate) type ClientBody = BoxBody<Bytes, std::io::Error>;

/// A connection to the gateway.
pub(crate) enum Client {
    Http1(http1::SendRequest<ClientBody>),
    Http2(http2::SendRequest<ClientBody>),
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Client {
    pub(crate) async fn http1(address: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, driver) = http1::handshake(stream).await.unwrap();
        tokio::spawn(driver.with_upgrades());
        Self::Http1(sender)
    }

    pub(crate) async fn http2(address: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, driver) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(driver);
        Self::Http2(sender)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.read(get(path)).await
    }

    pub(crate) async fn read(&mut self, request: Request<ClientBody>) -> Reply {
        let answer =
            async { Reply::read(self.send(request).await.expect("a response")).await.expect("a body") };
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time")
    }

    pub(crate) async fn send(
        &mut self,
        mut request: Request<ClientBody>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                let host = request.headers_mut().remove(header::HOST).unwrap();
                let uri = format!("http://{}{}", host.to_str().unwrap(), request.uri());
                *request.uri_mut() = uri.parse().unwrap();
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

impl Reply {
    pub(crate) async fn read(response: Response<Incoming>) -> hyper::Result<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned();
        let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        Ok(Self { status: parts.status, headers: parts.headers, body, trailers })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) fn get(path: &str) -> Request<ClientBody> {
    Request::get(path).header(header::HOST, HOST).body(empty()).unwrap()
}

pub(crate) fn empty() -> ClientBody {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// A request that the gateway answers itself.
pub(crate) fn probe() -> Request<ClientBody> {
    let mut request = get("/healthz");
    request.headers_mut().insert("k-network-probe", "activator".parse().unwrap());
    request
}
