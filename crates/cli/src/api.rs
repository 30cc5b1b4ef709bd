//! The API as commands see it: typed objects, raw paths, and errors in the user's words.

mod cause;

use std::time::Duration;

use kube::{
    Api, Client,
    api::{ListParams, PostParams},
    core::Status,
};
use resources::{
    Object,
    builtin::Event,
    serving::{Configuration, Revision, Route, Service},
};
use serde::de::DeserializeOwned;

use crate::{
    connection::{Global, Uploader, configure, uploader},
    console::Environment,
    error::Error,
};

/// How often a write is tried that others keep getting ahead of.
const CONFLICT_ATTEMPTS_MAX: u32 = 5;
/// The pause before the second attempt.
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);
/// How much longer each further pause is.
const CONFLICT_PAUSE_GROWTH: f64 = 1.5;

/// One API, the namespace meant, and the credentials.
pub(crate) struct Session {
    client: Client,
    /// The same API for streaming bodies.
    pub(crate) uploader: Uploader,
    /// Where the API is, for messages.
    pub(crate) url: String,
    /// The namespace meant.
    pub(crate) namespace: String,
}

/// The kinds that commands read and write.
pub(crate) trait Served:
    Object + kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
{
}

impl Served for Event {}
impl Served for Configuration {}
impl Served for Service {}
impl Served for Revision {}
impl Served for Route {}

impl Session {
    /// Reads the kubeconfig. Nothing is sent yet.
    pub(crate) async fn open(global: &Global, environment: &Environment) -> Result<Self, Error> {
        let config = configure(global, environment).await?;
        let url = config.cluster_url.to_string();
        let url = url.trim_end_matches('/').to_owned();
        let unusable = |error: kube::Error| cause::explain(&url, error);
        let uploader = uploader(&config).map_err(unusable)?;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(unusable)?;
        Ok(Self { client, uploader, url, namespace })
    }

    /// The objects of a kind in the session's namespace.
    pub(crate) fn all<K: Served>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The objects of a kind in every namespace.
    pub(crate) fn everywhere<K: Served>(&self) -> Api<K> {
        Api::all(self.client.clone())
    }

    /// One object of the session's namespace.
    pub(crate) async fn get<K: Served>(&self, name: &str) -> Result<K, Error> {
        self.all::<K>().get(name).await.map_err(|error| self.explain(error))
    }

    /// One object of the session's namespace, if it exists.
    pub(crate) async fn find<K: Served>(&self, name: &str) -> Result<Option<K>, Error> {
        match self.get(name).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The objects that a list command means.
    pub(crate) async fn list<K: Served>(
        &self,
        everywhere: bool,
        params: &ListParams,
    ) -> Result<Vec<K>, Error> {
        let api = if everywhere { self.everywhere::<K>() } else { self.all::<K>() };
        Ok(api.list(params).await.map_err(|error| self.explain(error))?.items)
    }

    /// Some objects of a kind in the session's namespace, and the token that continues the list where there are more.
    pub(crate) async fn page<K: Served>(
        &self,
        params: &ListParams,
    ) -> Result<(Vec<K>, Option<String>), Error> {
        let page = self.all::<K>().list(params).await.map_err(|error| self.explain(error))?;
        Ok((page.items, page.metadata.continue_.filter(|token| !token.is_empty())))
    }

    /// Writes an object anew, from the current one; reads it again and repeats when somebody else was faster.
    pub(crate) async fn replace<K: Served>(
        &self,
        mut current: K,
        mut change: impl FnMut(&K) -> Result<K, Error>,
    ) -> Result<K, Error> {
        let name = current.name().to_owned();
        let mut pause = CONFLICT_PAUSE;
        for attempt in 1.. {
            let wanted = change(&current)?;
            let written = self.all::<K>().replace(&name, &PostParams::default(), &wanted).await;
            match written.map_err(|error| self.explain(error)) {
                Err(error) if error.is_conflict() && attempt < CONFLICT_ATTEMPTS_MAX => {
                    tokio::time::sleep(pause).await;
                    pause = pause.mul_f64(CONFLICT_PAUSE_GROWTH);
                    current = self.get(&name).await?;
                }
                result => return result,
            }
        }
        unreachable!("the last attempt returns")
    }

    /// GET or DELETE of a path that is no object's.
    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        method: http::Method,
        path: &str,
    ) -> Result<T, Error> {
        let tried = format!("{method} {path}");
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(Vec::new())
            .map_err(|error| Error::Answer { tried: tried.clone(), reason: error.to_string() })?;
        let text = self.client.request_text(request).await.map_err(|error| self.explain(error))?;
        serde_json::from_str(&text).map_err(|error| Error::Answer { tried, reason: error.to_string() })
    }

    /// An error of the client in the user's words.
    pub(crate) fn explain(&self, error: kube::Error) -> Error {
        cause::explain(&self.url, error)
    }

    /// An error of the transport in the user's words.
    pub(crate) fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        cause::unreachable(&self.url, error)
    }

    /// What an answer with an error status says.
    pub(crate) fn refusal(&self, code: http::StatusCode, body: &[u8]) -> Error {
        let status = serde_json::from_slice::<Status>(body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(body);
            Status::failure(text.trim(), code.canonical_reason().unwrap_or_default()).with_code(code.as_u16())
        });
        Error::Api(status.boxed())
    }
}
