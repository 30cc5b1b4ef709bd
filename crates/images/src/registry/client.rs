//! HTTP to one registry: who asks, and how much of an answer is read.
//! (OCI distribution specification; distribution, "Token Authentication Specification".)

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;

use super::RegistryConfig;
use super::cause;
use super::challenge::Challenge;
use super::keyring::Credentials;
use crate::reference::DEFAULT_REGISTRY;
use crate::{Reference, RegistryCause};

/// Docker Hub's API is not where its name says.
const DOCKER_HUB_API: &str = "registry-1.docker.io";
/// How much is read of an answer that is an error, and of one that brings a token.
const SMALL_BYTES_MAX: u64 = 64 << 10;

/// One registry, as one caller asks it.
pub(super) struct Client {
    http: reqwest::Client,
    /// `https://HOST`
    base: String,
    repository: String,
    credentials: Credentials,
    /// What the registry wants to see, once it has said so.
    shown: Mutex<Option<Shown>>,
    /// Without TLS, tokens too may come from where there is none.
    plain: bool,
    connect_timeout: Duration,
}

/// What is shown with each request.
#[derive(Clone)]
enum Shown {
    Basic,
    Token(String),
}

/// The answer of whom is asked for a token.
#[derive(Deserialize)]
struct Granted {
    #[serde(alias = "access_token")]
    token: String,
}

impl Client {
    pub(super) fn new(
        reference: &Reference,
        credentials: Credentials,
        plain: bool,
        config: &RegistryConfig,
    ) -> Result<Self, RegistryCause> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            // Nor may a redirect lead away from TLS.
            .https_only(!plain)
            .build();
        let http = http.map_err(|error| cause::of_request(&error, config.connect_timeout))?;
        let host =
            if reference.registry() == DEFAULT_REGISTRY { DOCKER_HUB_API } else { reference.registry() };
        let base = format!("{}://{host}", if plain { "http" } else { "https" });
        let shown = match &credentials {
            Credentials::Bearer(token) => Some(Shown::Token(token.clone())),
            Credentials::Anonymous | Credentials::Basic(..) => None,
        };
        Ok(Client {
            http,
            base,
            repository: reference.repository().to_owned(),
            credentials,
            shown: Mutex::new(shown),
            plain,
            connect_timeout: config.connect_timeout,
        })
    }

    /// Asks for something of the repository, `manifests/v1`; shows who asks when the registry wants to know.
    pub(super) async fn ask(
        &self,
        method: Method,
        what: &str,
        accepted: &[&str],
    ) -> Result<Response, RegistryCause> {
        let url = format!("{}/v2/{}/{what}", self.base, self.repository);
        let ask = || {
            let request = self.http.request(method.clone(), &url);
            self.show(if accepted.is_empty() { request } else { request.header(ACCEPT, accepted.join(", ")) })
        };
        let answer = self.send(ask()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let shown = self.answer_to(answer.headers()).await?;
        *self.shown.lock() = Some(shown);
        self.send(ask()).await
    }

    /// What an answer that is an error means.
    pub(super) async fn failure(&self, answer: Response) -> RegistryCause {
        let status = answer.status().as_u16();
        let mut said = Vec::new();
        // As much of it as comes.
        let _ = self.read(answer, SMALL_BYTES_MAX, |bytes| said.extend_from_slice(bytes)).await;
        cause::of_answer(status, &said)
    }

    /// Hands on an answer's body, up to a limit; false when it is longer, of which nothing more is read.
    pub(super) async fn read(
        &self,
        mut answer: Response,
        bytes_max: u64,
        mut take: impl FnMut(&[u8]),
    ) -> Result<bool, RegistryCause> {
        let mut left = bytes_max;
        while let Some(bytes) = self.next(&mut answer).await? {
            let Some(rest) = left.checked_sub(bytes.len() as u64) else {
                take(&bytes[..usize::try_from(left).unwrap_or(bytes.len())]);
                return Ok(false);
            };
            left = rest;
            take(&bytes);
        }
        Ok(true)
    }

    /// The next bytes of an answer's body.
    pub(super) async fn next(&self, answer: &mut Response) -> Result<Option<bytes::Bytes>, RegistryCause> {
        answer.chunk().await.map_err(|error| cause::of_request(&error, self.connect_timeout))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RegistryCause> {
        request.send().await.map_err(|error| cause::of_request(&error, self.connect_timeout))
    }

    fn show(&self, request: RequestBuilder) -> RequestBuilder {
        match (self.shown.lock().clone(), &self.credentials) {
            (Some(Shown::Token(token)), _) => request.bearer_auth(token),
            (Some(Shown::Basic), Credentials::Basic(user, password)) => {
                request.basic_auth(user, Some(password))
            }
            _ => request,
        }
    }

    /// What a registry is to be shown that has asked who asks.
    async fn answer_to(&self, headers: &HeaderMap) -> Result<Shown, RegistryCause> {
        let mut challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = challenges.find_map(Challenge::parse).ok_or_else(cause::unauthorized)?;
        let (realm, service) = match (challenge, &self.credentials) {
            (Challenge::Basic, Credentials::Basic(..)) => return Ok(Shown::Basic),
            (Challenge::Bearer { realm, service }, Credentials::Anonymous | Credentials::Basic(..)) => {
                (realm, service)
            }
            _ => return Err(cause::unauthorized()),
        };
        if !self.plain && !realm.starts_with("https://") {
            let why = format!("tokens are to be had at {realm:?}, which is not https");
            return Err(RegistryCause::Invalid(why));
        }
        let scope = format!("repository:{}:pull", self.repository);
        let mut query = vec![("scope", scope.as_str())];
        query.extend(service.as_deref().map(|service| ("service", service)));
        let mut request = self.http.get(&realm).query(&query);
        if let Credentials::Basic(user, password) = &self.credentials {
            request = request.basic_auth(user, Some(password));
        }
        let answer = self.send(request).await?;
        if !answer.status().is_success() {
            return Err(match self.failure(answer).await {
                // Whatever else it says of it: no token, no right.
                RegistryCause::Invalid(detail) | RegistryCause::NotFound(detail) => {
                    RegistryCause::Unauthorized(detail)
                }
                cause => cause,
            });
        }
        let mut text = Vec::new();
        let whole = self.read(answer, SMALL_BYTES_MAX, |bytes| text.extend_from_slice(bytes)).await?;
        match serde_json::from_slice::<Granted>(&text) {
            Ok(Granted { token }) if whole => Ok(Shown::Token(token)),
            // The error's own words could quote a token.
            _ => Err(RegistryCause::Invalid(format!("{realm:?} gives no token"))),
        }
    }
}
