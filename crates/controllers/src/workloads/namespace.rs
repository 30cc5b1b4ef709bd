//! A namespace that is deleted takes everything in it along (upstream: kubernetes, namespace controller).

use std::time::Duration;

use objects::{
    Action, Client, DeleteOptions, Error, ListOptions, Propagation, Reconcile, Result, WriteTarget,
};
use resources::{
    Kind, Object, ObjectKey,
    builtin::Namespace,
    custom::{self, CustomResourceDefinition, ESTABLISHED, is_built_in},
    downcast, kinds,
};

/// The entry of `spec.finalizers` that stands for this controller.
const FINALIZER: &str = "kubernetes";
/// How soon to look again while objects are on their way out.
const POLL: Duration = Duration::from_millis(100);
/// Objects deleted in one call; the rest follows in the next.
const BATCH_MAX: usize = 500;

pub(super) struct Reconciler {
    pub(super) client: Client,
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let Some(namespace) = self.client.find::<Namespace>(key).await? else { return Ok(Action::Wait) };
        if !namespace.is_deleting() {
            return Ok(Action::Wait);
        }
        if self.empty(namespace.name()).await? > 0 {
            return Ok(Action::After(POLL));
        }
        let finalized = self.client.modify::<Namespace>(WriteTarget::Object, key, |namespace| {
            if let Some(finalizers) = namespace.spec.as_mut().and_then(|spec| spec.finalizers.as_mut()) {
                finalizers.retain(|finalizer| finalizer != FINALIZER);
            }
        });
        match finalized.await {
            Err(error) if error.is_not_found() => Ok(Action::Wait),
            finalized => finalized.map(|_| Action::Wait),
        }
    }
}

impl Reconciler {
    /// The kinds that users define, each by one of its versions.
    async fn defined(&self) -> Result<Vec<&'static Kind>> {
        let definitions =
            self.client.backend().list(CustomResourceDefinition::kind(), &ListOptions::all()).await?;
        let definitions = definitions.items.into_iter().filter_map(downcast::<CustomResourceDefinition>);
        let defined = definitions.filter(|crd| custom::is_true(crd, ESTABLISHED) && !is_built_in(crd));
        Ok(defined.filter_map(|crd| custom::hub(&crd)).collect())
    }

    /// Asks for the deletion of what is left in a namespace; returns how much that is.
    async fn empty(&self, namespace: &str) -> Result<usize> {
        let mut left = 0;
        let options = ListOptions { limit: BATCH_MAX, ..ListOptions::namespace(namespace) };
        let background =
            DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        let defined = self.defined().await?;
        let all = kinds::all().iter().copied().chain(defined);
        for kind in all.filter(|kind| kind.namespaced) {
            for object in self.client.backend().list(kind, &options).await?.items {
                left += 1;
                if object.metadata().deletion_timestamp.is_none() {
                    let deleted = self
                        .client
                        .backend()
                        .delete(kind, &ObjectKey::of(object.metadata()), &background)
                        .await;
                    deleted.or_else(|error| {
                        if matches!(error, Error::NotFound { .. }) { Ok(()) } else { Err(error) }
                    })?;
                }
            }
        }
        Ok(left)
    }
}
