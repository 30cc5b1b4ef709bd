//! A plain HTTPS client: no more of Kubernetes than a kubeconfig with certificates in it.

use std::{collections::BTreeMap, io::Read, net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where a server is, and as whom it is called.
#[derive(Clone)]
pub(crate) struct Https {
    pub(crate) address: SocketAddr,
    pub(crate) tls: TlsConnector,
}

/// Why there is no answer.
pub(crate) type Gone = Box<dyn std::error::Error + Send + Sync>;

/// An open connection, for one request after another.
pub(crate) struct Connection {
    home: Https,
    sender: SendRequest<Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Https {
    /// A client as the user of a kubeconfig.
    pub(crate) fn of(kubeconfig: &str) -> Self {
        let fields = fields(kubeconfig);
        let certificate = CertificateDer::from_pem_slice(&pem(&fields, "client-certificate-data")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&pem(&fields, "client-key-data")).unwrap();
        Self::with(&fields, |config| config.with_client_auth_cert(vec![certificate], key).unwrap())
    }

    /// A client of the same server without a certificate.
    pub(crate) fn stranger(kubeconfig: &str) -> Self {
        Self::with(&fields(kubeconfig), |config| config.with_no_client_auth())
    }

    fn with(
        fields: &BTreeMap<&str, &str>,
        user: impl FnOnce(rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>) -> ClientConfig,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&pem(fields, "certificate-authority-data")).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let address = fields["server"].trim_start_matches("https://").parse().unwrap();
        Self { address, tls: TlsConnector::from(Arc::new(user(config))) }
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection { home: self.clone(), sender: self.sender().await }
    }

    async fn sender(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = self.tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Sends one request over a connection of its own.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        answer(self.connect().await.send(method, path, headers, body).await).await
    }
}

impl Connection {
    /// Sends a request, over a new connection if the server has closed this one.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let request = request(method, path, headers, body);
        if self.sender.ready().await.is_err() {
            self.sender = self.home.sender().await;
        }
        timeout(PATIENCE, self.sender.send_request(request)).await.unwrap().unwrap()
    }

    /// As [`Connection::send`], to a server that may be gone.
    pub(crate) async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response<Incoming>, Gone> {
        self.sender.ready().await?;
        Ok(timeout(PATIENCE, self.sender.send_request(request(method, path, headers, body))).await??)
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path)
        .header(header::HOST, "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
}

/// The whole answer.
pub(crate) async fn answer(response: Response<Incoming>) -> Answer {
    try_answer(response).await.unwrap()
}

/// As [`answer`], of a server that may be gone.
pub(crate) async fn try_answer(response: Response<Incoming>) -> Result<Answer, Gone> {
    let (parts, body) = response.into_parts();
    let bytes = timeout(PATIENCE, body.collect()).await??.to_bytes();
    let mut text = String::new();
    if parts.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip") {
        GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { code: parts.status.as_u16(), headers: parts.headers, text, json })
}

/// The lines of a kubeconfig, which has each of the fields once.
fn fields(kubeconfig: &str) -> BTreeMap<&str, &str> {
    kubeconfig.lines().filter_map(|line| line.trim().trim_start_matches("- ").split_once(": ")).collect()
}

fn pem(fields: &BTreeMap<&str, &str>, field: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(fields[field]).unwrap()
}
