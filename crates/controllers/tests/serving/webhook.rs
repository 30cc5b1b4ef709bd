//! A cluster's API behind Knative's webhook: what is written of Knative's kinds, by whomever, is defaulted and
//! validated before it reaches the kube-apiserver. It also sees to it that nobody writes what is there already.

use std::sync::Arc;

use controllers::serving::Clock;
use futures::{FutureExt, future::BoxFuture};
use objects::{Backend, Changes, DeleteOptions, Error, ListOptions, Listed, Result, WriteTarget};
use resources::{
    DynObject, Kind, ObjectKey,
    admission::{Request, admit},
    builtin::ReplicaSet,
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
            let before = object.metadata().resource_version.clone();
            let object = if target == WriteTarget::Object && is_knatives(&*object) {
                let old = self.api.get(object.kind(), &ObjectKey::of(object.metadata())).await?;
                self.admitted(&Request::update(old, USER, (self.clock)()), object)?
            } else {
                object
            };
            let behind_gate = says_terminating(&*object);
            let written = self.api.update(target, object).await?;
            // Who takes the API server's defaults for a difference will do so for ever. The last state of an object that
            // is gone has no new version.
            let metadata = written.metadata();
            let changed = metadata.resource_version != before || metadata.deletion_timestamp.is_some();
            assert!(
                changed || behind_gate,
                "a write of {written:?} ({target:?}) changed nothing: {:?}",
                written.to_value()
            );
            Ok(written)
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

/// Whether a ReplicaSet's status counts pods that end, which a kube-apiserver of this version drops: the field has a
/// feature gate (upstream: kubernetes, DeploymentReplicaSetTerminatingReplicas).
fn says_terminating(object: &dyn DynObject) -> bool {
    let set = (object as &dyn std::any::Any).downcast_ref::<ReplicaSet>();
    set.and_then(|set| set.status.as_ref()).is_some_and(|status| status.terminating_replicas.is_some())
}
