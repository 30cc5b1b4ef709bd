//! A running API server and a plain HTTP client with the admin's certificate.

mod http2;

use apiserver::{ApiServer, Limits, Options};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use objects::Client;
use resources::meta::ObjectMeta;
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

pub(crate) use self::http2::{Http2, When};
pub(crate) use crate::https::PATIENCE;
use crate::https::{Answer, Https};

pub(crate) struct Rig {
    pub(crate) server: ApiServer,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) url: String,
    admin: Https,
    stranger: Https,
    pub(crate) drain: Option<oneshot::Sender<()>>,
    pub(crate) serving: tokio::task::JoinHandle<()>,
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
        let (admin, stranger) = (Https::of(&kubeconfig), Https::stranger(&kubeconfig));
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
        self.admin.call(method, path, headers, body).await
    }

    /// Sends a request without a certificate.
    pub(crate) async fn call_as_stranger(&self, path: &str) -> Answer {
        self.stranger.call("GET", path, &[], "").await
    }

    /// Creates an object and expects that to work.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.call("POST", path, &[], &body.to_string()).await;
        assert_eq!(answer.code, 201, "POST {path}: {}", answer.text);
        answer.json
    }

    /// Begins a watch.
    pub(crate) async fn watch(&self, path: &str, headers: &[(&str, &str)]) -> Lines {
        let response = self.admin.connect().await.send("GET", path, headers, "").await;
        assert_eq!(response.status(), 200, "GET {path}");
        Lines { body: response.into_body(), rest: Vec::new() }
    }
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

/// The metadata of an object in namespace `default`.
pub(crate) fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), namespace: Some("default".into()), ..ObjectMeta::default() }
}
