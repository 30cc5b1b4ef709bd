//! Single objects on the server: read, create, update, delete; and what the cache learns from the answers.

use std::sync::Arc;

use http::Method;
use resources::{DynObject, Kind, ObjectKey};

use super::{
    Remote, decode,
    failure::{Refusal, Status},
    request,
};
use crate::{DeleteOptions, Error, Result, WriteTarget, says_version};

impl Remote {
    /// Reads an object from the server itself.
    pub(super) async fn read(&self, kind: &'static Kind, key: &ObjectKey) -> Result<Arc<dyn DynObject>> {
        let path = request::object(kind, key)?;
        self.exchange(kind, &key.name, Method::GET, &path, Vec::new()).await
    }

    pub(super) async fn post(&self, object: Arc<dyn DynObject>) -> Result<Arc<dyn DynObject>> {
        let (kind, key) = (object.kind(), ObjectKey::of(object.metadata()));
        if kind.namespaced && key.namespace.is_empty() {
            return Err(Error::BadRequest("an empty namespace may not be set during creation".into()));
        }
        let path = request::collection(kind, Some(&key.namespace));
        let answer = self.exchange(kind, &key.name, Method::POST, &path, object.to_json()).await;
        self.note(kind, &key, None, &answer);
        answer
    }

    pub(super) async fn put(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> Result<Arc<dyn DynObject>> {
        let (kind, key) = (object.kind(), ObjectKey::of(object.metadata()));
        let mut path = request::object(kind, &key)?;
        if target == WriteTarget::Status {
            if !kind.subresources.status {
                return Err(Error::BadRequest(format!("{} have no status of their own", kind.resource())));
            }
            path.push_str("/status");
        }
        if says_version(object.metadata()) {
            return self.put_at(&path, &key, &*object).await;
        }
        // Most servers insist on a version, so one that does not matter to the caller is filled in.
        let mut attempt = 1;
        loop {
            let mut metadata = object.metadata().clone();
            metadata.resource_version.clone_from(&self.read(kind, &key).await?.metadata().resource_version);
            match self.put_at(&path, &key, &*Arc::clone(&object).with_metadata(metadata)).await {
                Err(error) if error.is_conflict() && attempt < self.options.limits.update_attempts_max => {
                    attempt += 1
                }
                answer => return answer,
            }
        }
    }

    async fn put_at(
        &self,
        path: &str,
        key: &ObjectKey,
        object: &dyn DynObject,
    ) -> Result<Arc<dyn DynObject>> {
        let kind = object.kind();
        let answer = self.exchange(kind, &key.name, Method::PUT, path, object.to_json()).await;
        self.note(kind, key, Some(decode::version(object)), &answer);
        answer
    }

    pub(super) async fn remove(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<()> {
        let path = request::object(kind, key)?;
        let body = request::delete_options(options).to_string().into_bytes();
        let answer = self.connection.call(Method::DELETE, &path, body).await;
        let answer = answer.map_err(|refusal| refusal.into_error(kind, &key.name));
        let cache = self.reflector(kind).warm().filter(|_| !options.dry_run);
        let Some(cache) = cache else { return answer.map(drop) };
        match &answer {
            Ok(body) => match Status::read(200, body).uid() {
                Some(uid) => cache.deleted(key, uid),
                // The answer is the object: marked, or gone with its last state. Which of the two, the server knows.
                None => cache.doubt(key, None),
            },
            Err(error) if error.is_not_found() || error.is_conflict() => cache.doubt(key, None),
            Err(_) => {}
        }
        answer.map(drop)
    }

    async fn exchange(
        &self,
        kind: &'static Kind,
        name: &str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Arc<dyn DynObject>> {
        let what = format!("{method} {path}");
        let body = self
            .connection
            .call(method, path, body)
            .await
            .map_err(|refusal| refusal.into_error(kind, name))?;
        let read = text(&body).map(|text| decode::object(kind, text));
        match read {
            Some(Ok(object)) => Ok(object),
            Some(Err(error)) => Err(Refusal::NoAnswer(format!("{what}: {error}")).into_error(kind, name)),
            None => Err(Refusal::NoAnswer(format!("{what}: the answer is not UTF-8")).into_error(kind, name)),
        }
    }

    /// Tells the cache what a write has shown; `went_by` is the version of the object that the caller knew.
    fn note(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        went_by: Option<u64>,
        answer: &Result<Arc<dyn DynObject>>,
    ) {
        let Some(cache) = self.reflector(kind).warm() else { return };
        match answer {
            Ok(object) => cache.wrote(object),
            Err(error) if error.is_conflict() || error.is_already_exists() || error.is_not_found() => {
                cache.doubt(key, went_by)
            }
            Err(_) => {}
        }
    }
}

fn text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok()
}
