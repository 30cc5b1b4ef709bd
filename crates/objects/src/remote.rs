//! [`Backend`] on a remote Kubernetes, by HTTP.
//!
//! ```text
//!   get, list, changes ──► cache of the kind ◄── reflector: list, then watch without end; one per kind
//!                             ▲
//!                             └── own writes, until the watch has told them
//!   create, update, delete ──► connection ──► the API server
//! ```
//!
//! A kind's reflector starts with the first list or watch of the kind and then feeds everybody, so ten controllers
//! that watch pods cost one stream and one copy of each pod. Before that, `get` asks the server. What this client has
//! written it reads at once; what others have written it reads when the watch has told it.
//!
//! Resource versions are taken for numbers that grow with each write, as they do wherever objects live in etcd
//! (upstream: apimachinery, `util/resourceversion`).

mod cache;
mod connection;
mod decode;
mod failure;
mod follower;
mod lines;
mod options;
mod reflector;
mod request;
mod write;

use std::{collections::HashMap, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use resources::{DynObject, Kind, ObjectKey};

pub use self::options::{Access, RemoteLimits, RemoteOptions, Scope};
use self::{cache::Read, connection::Connection, reflector::Reflector};
use crate::{
    Backend, Changes, DeleteOptions, Error, ListOptions, Listed, Result, WriteTarget,
    backend::resource_version,
};

/// A Kubernetes somewhere else.
pub struct Remote {
    connection: Arc<Connection>,
    options: RemoteOptions,
    reflectors: Mutex<HashMap<&'static Kind, Arc<Reflector>>>,
}

impl Remote {
    /// A client of the API server that `access` leads to. Asks it nothing yet. Belongs to the runtime it is made on.
    ///
    /// # Errors
    /// `BadRequest` when the access cannot be understood: an unreadable kubeconfig, a certificate that is none.
    pub async fn connect(access: Access, options: RemoteOptions) -> Result<Self> {
        let connection = Arc::new(Connection::open(access, &options.limits).await?);
        Ok(Self { connection, options, reflectors: Mutex::default() })
    }

    fn reflector(&self, kind: &'static Kind) -> Arc<Reflector> {
        let mut reflectors = self.reflectors.lock();
        let reflector = reflectors.entry(kind).or_insert_with(|| {
            let scope = self.options.scopes.get(&kind).cloned().unwrap_or_default();
            Arc::new(Reflector::new(kind, scope, Arc::clone(&self.connection), self.options.limits.clone()))
        });
        Arc::clone(reflector)
    }
}

impl Backend for Remote {
    fn get(&self, kind: &'static Kind, key: &ObjectKey) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        let key = key.clone();
        async move {
            let reflector = self.reflector(kind);
            let Some(cache) = reflector.warm() else { return self.read(kind, &key).await };
            match cache.get(&key) {
                Read::Found(object) => Ok(object),
                Read::Absent if reflector.sees(&key) => Err(Error::NotFound { kind, name: key.name }),
                Read::Absent => self.read(kind, &key).await,
                Read::InDoubt => {
                    let answer = self.read(kind, &key).await;
                    match &answer {
                        Ok(object) => cache.learn(&key, Some(object)),
                        Err(error) if error.is_not_found() => cache.learn(&key, None),
                        Err(_) => {}
                    }
                    answer
                }
            }
        }
        .boxed()
    }

    fn list(&self, kind: &'static Kind, options: &ListOptions) -> BoxFuture<'_, Result<Listed>> {
        let options = options.clone();
        async move { self.reflector(kind).cache().await?.list(&options) }.boxed()
    }

    fn changes(
        &self,
        kind: &'static Kind,
        options: &ListOptions,
        version: &str,
    ) -> BoxFuture<'_, Result<Changes>> {
        let (options, version) = (options.clone(), version.to_owned());
        async move {
            let version = resource_version(&version)?;
            follower::follow(self.reflector(kind).cache().await?, options, version)
        }
        .boxed()
    }

    fn create(&self, object: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        self.post(object).boxed()
    }

    fn update(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        self.put(target, object).boxed()
    }

    fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> BoxFuture<'_, Result<()>> {
        let (key, options) = (key.clone(), options.clone());
        async move { self.remove(kind, &key, &options).await }.boxed()
    }
}
