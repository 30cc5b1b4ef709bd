//! An API that refuses some pods of several.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::future::{BoxFuture, FutureExt, ready};
use objects::{Backend, Changes, DeleteOptions, Error, ListOptions, Listed, Result, WriteTarget};
use resources::{DynObject, Kind, ObjectKey};

/// What it says.
pub(super) const WHY: &str = "not this one";

pub(super) struct Refusing {
    api: Arc<dyn Backend>,
    creates: Count,
    deletes: Count,
}

impl Refusing {
    /// Refuses these creates and deletes of pods, each counted from 1.
    pub(super) fn new(api: Arc<dyn Backend>, creates: Range<usize>, deletes: Range<usize>) -> Self {
        Self { api, creates: Count::new(creates), deletes: Count::new(deletes) }
    }

    /// How many pods it was asked to create.
    pub(super) fn creates_seen(&self) -> usize {
        self.creates.seen.load(Ordering::SeqCst)
    }
}

/// How many pods there were, and which of them are refused.
struct Count {
    refused: Range<usize>,
    seen: AtomicUsize,
}

impl Count {
    fn new(refused: Range<usize>) -> Self {
        Self { refused, seen: AtomicUsize::new(0) }
    }

    fn refuses(&self, kind: &Kind) -> bool {
        kind.kind == "Pod" && self.refused.contains(&(self.seen.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

fn refused<T: Send + 'static>() -> BoxFuture<'static, Result<T>> {
    ready(Err(Error::BadRequest(WHY.to_owned()))).boxed()
}

impl Backend for Refusing {
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
        if self.creates.refuses(object.kind()) { refused() } else { self.api.create(object) }
    }

    fn update(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        self.api.update(target, object)
    }

    fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> BoxFuture<'_, Result<()>> {
        if self.deletes.refuses(kind) { refused() } else { self.api.delete(kind, key, options) }
    }
}
