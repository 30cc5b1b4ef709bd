//! A running API server and a plain HTTP client with the admin's certificate.

mod http2;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apiserver::{ApiServer, Limits, Options};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use objects::Client;
use resources::meta::ObjectMeta;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::TlsConnector;

pub(crate) use self::http2::{Http2, When};

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) server: ApiServer,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) url: String,
    admin: TlsConnector,
    stranger: TlsConnector,
    pub(crate) drain: Option<oneshot::Sender<()>>,
    pub(crate) serving: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let options = Options { limits, ..Options::new("") };
        Self::of(ApiServer::in_memory(options).await.unwrap()).await
    }

    /// This server, reachable.
    pub(crate) async fn of(server: ApiServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://{address}");
        let (drain, drained) = oneshot::channel();
        let serving = tokio::spawn({
            let server = server.clone();
            async move { server.serve(listener, async { _ = drained.await }).await }
        });
        let kubeconfig = server.kubeconfig(&url).unwrap();
        let (admin, stranger) = (connector(&kubeconfig, true), connector(&kubeconfig, false));
        Self { server, address, url, admin, stranger, drain: Some(drain), serving }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    /// Sends a request as the admin.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        answer(self.send(&self.admin, method, path, headers, body).await).await
    }

    /// Sends a request without a certificate.
    pub(crate) async fn call_as_stranger(&self, path: &str) -> Answer {
        answer(self.send(&self.stranger, "GET", path, &[], "").await).await
    }

    /// Creates an object and expects that to work.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.call("POST", path, &[], &body.to_string()).await;
        assert_eq!(answer.code, 201, "POST {path}: {}", answer.text);
        answer.json
    }

    /// Begins a watch.
    pub(crate) async fn watch(&self, path: &str, headers: &[(&str, &str)]) -> Lines {
        let response = self.send(&self.admin, "GET", path, headers, "").await;
        assert_eq!(response.status(), 200, "GET {path}");
        Lines { body: response.into_body(), rest: Vec::new() }
    }

    async fn send(
        &self,
        connector: &TlsConnector,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()
    }
}

async fn answer(response: http::Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Answer { code: parts.status.as_u16(), headers: parts.headers, text, json }
}

/// The lines of a watch.
pub(crate) struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("the watch says something")?;
            self.rest.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
    }

    /// The next event's type and the name of its object.
    pub(crate) async fn next_name(&mut self) -> (String, String) {
        let event = self.next().await.expect("the watch goes on");
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/type"), text("/object/metadata/name"))
    }
}

fn connector(kubeconfig: &str, authenticated: bool) -> TlsConnector {
    let fields: BTreeMap<&str, &str> =
        kubeconfig.lines().filter_map(|line| line.trim().trim_start_matches("- ").split_once(": ")).collect();
    let pem = |field: &str| BASE64_STANDARD.decode(fields[field]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem("certificate-authority-data")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = if authenticated {
        let certificate = CertificateDer::from_pem_slice(&pem("client-certificate-data")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&pem("client-key-data")).unwrap();
        config.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        config.with_no_client_auth()
    };
    TlsConnector::from(Arc::new(config))
}

/// The metadata of an object in namespace `default`.
pub(crate) fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), namespace: Some("default".into()), ..ObjectMeta::default() }
}
