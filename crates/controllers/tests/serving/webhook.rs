//! A cluster's API behind Knative's webhook: what is written of Knative's kinds, by whomever, is defaulted and
//! validated before it reaches the kube-apiserver.

use std::sync::Arc;

use controllers::serving::Clock;
use futures::{FutureExt, future::BoxFuture};
use objects::{Backend, Changes, DeleteOptions, Error, ListOptions, Listed, Result, WriteTarget};
use resources::{
    DynObject, Kind, ObjectKey,
    admission::{Request, admit},
    config::Configs,
};
use tokio::sync::watch;

const USER: &str = "admin";

pub(crate) struct Webhook {
    api: Arc<dyn Backend>,
    configs: watch::Receiver<Arc<Configs>>,
    clock: Clock,
}

impl Webhook {
    pub(crate) fn new(api: Arc<dyn Backend>, configs: watch::Receiver<Arc<Configs>>, clock: Clock) -> Self {
        Self { api, configs, clock }
    }

    fn admitted(&self, request: &Request<'_>, object: Arc<dyn DynObject>) -> Result<Arc<dyn DynObject>> {
        let configs = Arc::clone(&self.configs.borrow());
        admit(request, object, &configs).map_err(|rejection| Error::BadRequest(rejection.to_string()))
    }
}

fn is_knatives(object: &dyn DynObject) -> bool {
    object.kind().group.ends_with("knative.dev")
}

impl Backend for Webhook {
    fn get(&self, kind: &'static Kind, key: &ObjectKey) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        self.api.get(kind, key)
    }

    fn list(&self, kind: &'static Kind, options: &ListOptions) -> BoxFuture<'_, Result<Listed>> {
        self.api.list(kind, options)
    }

    fn changes(
        &self,
        kind: &'static Kind,
        options: &ListOptions,
        version: &str,
    ) -> BoxFuture<'_, Result<Changes>> {
        self.api.changes(kind, options, version)
    }

    fn create(&self, object: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        async move {
            if !is_knatives(&*object) {
                return self.api.create(object).await;
            }
            self.api.create(self.admitted(&Request::create(USER, (self.clock)()), object)?).await
        }
        .boxed()
    }

    fn update(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        async move {
            if target == WriteTarget::Status || !is_knatives(&*object) {
                return self.api.update(target, object).await;
            }
            let old = self.api.get(object.kind(), &ObjectKey::of(object.metadata())).await?;
            self.api.update(target, self.admitted(&Request::update(old, USER, (self.clock)()), object)?).await
        }
        .boxed()
    }

    fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> BoxFuture<'_, Result<()>> {
        self.api.delete(kind, key, options)
    }
}
