//! `objects::Backend` on the store itself: typed objects in and out, no JSON and no HTTP.

use std::sync::Arc;

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use objects::{
    Backend, Change, Changes, DeleteOptions, Error, ListOptions, Listed, Result, WriteTarget,
    resource_version, says_version,
};
use resources::{DynObject, Kind, ObjectKey};

use crate::{
    registry::{Caller, Registry, Target, Wanted, overtaken},
    store::{PageOptions, Place, Seen, Selection, Start},
};

/// The in-process backend. Writes of what can be derived again return before they are on disk.
pub(crate) struct InProcess {
    registry: Arc<Registry>,
}

impl InProcess {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }

    async fn list_page(
        &self,
        kind: &'static Kind,
        selection: Selection,
        from: Result<Start>,
        limit: usize,
    ) -> Result<Listed> {
        let options = PageOptions { limit, from: from? };
        let page = self.registry.store.page(kind, &selection, options).await?;
        Ok(Listed {
            items: page.items.iter().map(|stored| stored.object()).collect::<Result<_>>()?,
            version: page.version.to_string(),
            next: page.next.map(|place| place.token()),
        })
    }
}

impl Backend for InProcess {
    fn get(&self, kind: &'static Kind, key: &ObjectKey) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        let found = self.registry.get(kind, key).and_then(|stored| stored.warm());
        async { found }.boxed()
    }

    fn list(&self, kind: &'static Kind, options: &ListOptions) -> BoxFuture<'_, Result<Listed>> {
        let from = match &options.continue_token {
            Some(token) => Place::parse(token).map(Start::Place),
            None => Ok(Start::Now),
        };
        self.list_page(kind, Selection::from(options), from, options.limit).boxed()
    }

    fn changes(
        &self,
        kind: &'static Kind,
        options: &ListOptions,
        version: &str,
    ) -> BoxFuture<'_, Result<Changes>> {
        let changes = resource_version(version).and_then(|version| {
            let follower = self.registry.store.follow(kind, Selection::from(options), version)?;
            let batches = stream::unfold(Some(follower), |follower| async {
                let mut follower = follower?;
                match follower.next().await {
                    Ok(seen) => Some((seen.into_iter().map(change).collect(), Some(follower))),
                    Err(error) => Some((vec![Err(error)], None)),
                }
            });
            Ok(batches.flat_map(stream::iter).boxed())
        });
        async { changes }.boxed()
    }

    fn create(&self, object: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        async move {
            let created = self.registry.create(Wanted::typed(object), &Caller::in_process()).await?;
            consequences_first().await;
            created.object()
        }
        .boxed()
    }

    fn update(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        let target = match target {
            WriteTarget::Object => Target::Object,
            WriteTarget::Status => Target::Status,
        };
        async move {
            let (kind, key) = (object.kind(), ObjectKey::of(object.metadata()));
            let caller = Caller::in_process();
            // An object that says its version gets one chance, so it need not be kept for another, and is not copied.
            let mut object = Some(object);
            let wanted = |_: &_| {
                let again = object.as_ref().filter(|object| !says_version(object.metadata())).cloned();
                let wanted = again.or_else(|| object.take()).ok_or_else(|| overtaken(kind, &key.name))?;
                Ok::<_, Error>(Wanted::typed(wanted))
            };
            let written = self.registry.update(kind, &key, target, &caller, wanted).await?;
            consequences_first().await;
            written.object()
        }
        .boxed()
    }

    fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> BoxFuture<'_, Result<()>> {
        let (key, options) = (key.clone(), options.clone());
        async move { self.registry.delete(kind, &key, &options, &Caller::in_process()).await.map(drop) }
            .boxed()
    }
}

/// Lets those who watch what was just written go before the writer's next step. Somebody waits for the last of a chain
/// of writes; for what a link does after its own write, nobody.
async fn consequences_first() {
    tokio::task::yield_now().await;
}

fn change(seen: Seen) -> Result<Change> {
    Ok(Change { kind: seen.kind, object: seen.stored.object()? })
}
