//! Requests to the API server: bounded in number, time and size.

use std::{error::Error as StdError, fmt::Write};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    failure::{Refusal, Status},
    lines::Lines,
    options::{Access, RemoteLimits},
};
use crate::{Error, Result};

/// The way to one API server.
pub(super) struct Connection {
    client: Client,
    places: Semaphore,
    limits: RemoteLimits,
}

impl Connection {
    pub(super) async fn open(access: Access, limits: &RemoteLimits) -> Result<Self> {
        let mut config = config(access).await?;
        config.connect_timeout = Some(limits.connect_timeout);
        // Whether to try again is for the caller to say: it knows what it is about, and waits with a back-off.
        config.default_retry = false;
        let client = Client::try_from(config)
            .map_err(|error| unusable("the API server's address and keys", &error))?;
        Ok(Self { client, places: Semaphore::new(limits.requests_max), limits: limits.clone() })
    }

    /// Asks and reads the whole answer.
    pub(super) async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, Refusal> {
        let what = format!("{method} {path}");
        let answer = async {
            let _place = self.places.acquire().await.expect("the semaphore is never closed");
            let response = self.send(method, path, body).await?;
            self.bytes(response).await
        };
        match timeout(self.limits.request_timeout, answer).await {
            Ok(answer) => answer.map_err(|refusal| refusal.of_request(&what)),
            Err(_) => Err(self.too_slow(&what)),
        }
    }

    /// Asks for lines without end; waits for the first part of the answer only.
    pub(super) async fn lines(&self, path: &str) -> Result<Lines, Refusal> {
        let what = format!("GET {path}");
        let answer = async {
            let _place = self.places.acquire().await.expect("the semaphore is never closed");
            let response = self.send(Method::GET, path, Vec::new()).await?;
            Ok::<_, Refusal>(Lines::new(response.into_body(), self.limits.line_bytes_max))
        };
        match timeout(self.limits.request_timeout, answer).await {
            Ok(answer) => answer.map_err(|refusal| refusal.of_request(&what)),
            Err(_) => Err(self.too_slow(&what)),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Response<Body>, Refusal> {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
        let request = request.map_err(|error| Refusal::NoAnswer(chain(&error)))?;
        let response = self.client.send(request).await.map_err(|error| Refusal::NoAnswer(chain(&error)))?;
        let code = response.status();
        if code.is_success() {
            return Ok(response);
        }
        Err(Refusal::Status(Box::new(Status::read(code.as_u16(), &self.bytes(response).await?))))
    }

    async fn bytes(&self, response: Response<Body>) -> Result<Bytes, Refusal> {
        let body = Limited::new(response.into_body(), self.limits.body_bytes_max);
        match body.collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                let max = self.limits.body_bytes_max;
                Err(Refusal::NoAnswer(format!("the answer is longer than body_bytes_max ({max})")))
            }
            Err(error) => Err(Refusal::NoAnswer(chain(&*error))),
        }
    }

    fn too_slow(&self, what: &str) -> Refusal {
        let seconds = self.limits.request_timeout.as_secs_f64();
        Refusal::NoAnswer(format!("no answer within request_timeout ({seconds} s)")).of_request(what)
    }
}

async fn config(access: Access) -> Result<Config> {
    match access {
        Access::Kubeconfig(text) => {
            let kubeconfig =
                Kubeconfig::from_yaml(&text).map_err(|error| unusable("the kubeconfig", &error))?;
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
            config.map_err(|error| unusable("the kubeconfig", &error))
        }
        Access::Surroundings => Config::infer().await.map_err(|error| {
            unusable("neither a kubeconfig (KUBECONFIG, ~/.kube/config) nor a pod's service account", &error)
        }),
    }
}

fn unusable(what: &str, error: &dyn StdError) -> Error {
    Error::BadRequest(format!("cannot use {what} to reach an API server: {}", chain(error)))
}

/// An error with its causes, each once: the useful part is often the last.
pub(super) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            // Writing to a string cannot fail.
            _ = write!(text, ": {words}");
        }
        cause = error.source();
    }
    text
}
