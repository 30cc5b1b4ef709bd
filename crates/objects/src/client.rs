//! The typed face of a [`Backend`].

use std::{fmt, sync::Arc};

use resources::{DynObject, Kind, Object, ObjectKey, downcast};

use crate::{
    Backend, DeleteOptions, Error, ListOptions, Precondition, Result, Watch, WriteTarget, backlog::Backlog,
};

/// How often [`Client::modify`] reads again after a conflict before it gives up.
const MODIFY_ATTEMPTS_MAX: usize = 8;

/// Reads, watches and writes API objects by type. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    backend: Arc<dyn Backend>,
    /// What waits at the controllers that work through it.
    backlog: Arc<Backlog>,
}

/// The objects that a list found.
#[derive(Debug)]
pub struct List<K> {
    /// In the order of their keys.
    pub items: Vec<Arc<K>>,
    /// The version they were read at.
    pub version: String,
}

impl Client {
    /// A client of a home.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend, backlog: Arc::default() }
    }

    /// What the controllers that work through it, and through its clones, have begun.
    pub(crate) fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.backlog)
    }

    /// Reads one object.
    pub async fn get<K: Object>(&self, key: &ObjectKey) -> Result<Arc<K>> {
        typed(self.backend.get(K::kind(), key).await?)
    }

    /// Reads one object that may not be there.
    pub async fn find<K: Object>(&self, key: &ObjectKey) -> Result<Option<Arc<K>>> {
        match self.get(key).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the objects that match.
    pub async fn list<K: Object>(&self, options: &ListOptions) -> Result<List<K>> {
        let listed = self.backend.list(K::kind(), options).await?;
        let items = listed.items.into_iter().map(typed).collect::<Result<_>>()?;
        Ok(List { items, version: listed.version })
    }

    /// The objects that match, and from then on every change; goes on by itself after a failure.
    pub fn watch<K: Object>(&self, options: ListOptions) -> Watch<K> {
        Watch::new(Arc::clone(&self.backend), options)
    }

    /// As [`Client::watch`], for code that handles all kinds alike.
    pub fn watch_kind(&self, kind: &'static Kind, options: ListOptions) -> Watch<dyn DynObject> {
        Watch::untyped(Arc::clone(&self.backend), kind, options)
    }

    /// Creates an object; returns it as stored.
    pub async fn create<K: Object>(&self, object: K) -> Result<Arc<K>> {
        typed(self.backend.create(Arc::new(object)).await?)
    }

    /// Replaces an object but for its status; returns it as stored.
    pub async fn update<K: Object>(&self, object: K) -> Result<Arc<K>> {
        typed(self.backend.update(WriteTarget::Object, Arc::new(object)).await?)
    }

    /// Replaces an object's status; returns it as stored.
    pub async fn update_status<K: Object>(&self, object: K) -> Result<Arc<K>> {
        typed(self.backend.update(WriteTarget::Status, Arc::new(object)).await?)
    }

    /// Reads an object, changes it and writes it, again from the start while others are faster.
    ///
    /// Writes nothing when `change` leaves the object as it was. Bounded: after some conflicts the last one is returned.
    pub async fn modify<K: Object + PartialEq>(
        &self,
        target: WriteTarget,
        key: &ObjectKey,
        mut change: impl FnMut(&mut K),
    ) -> Result<Arc<K>> {
        let mut attempt = 1;
        loop {
            let current = self.get::<K>(key).await?;
            let mut wanted = K::clone(&current);
            change(&mut wanted);
            if wanted == *current {
                return Ok(current);
            }
            match self.backend.update(target, Arc::new(wanted)).await {
                Err(error) if error.is_conflict() && attempt < MODIFY_ATTEMPTS_MAX => attempt += 1,
                written => return typed(written?),
            }
        }
    }

    /// Deletes an object.
    pub async fn delete<K: Object>(&self, key: &ObjectKey, options: &DeleteOptions) -> Result<()> {
        self.backend.delete(K::kind(), key, options).await
    }

    /// Deletes just this object, not another one that has its name by now; one that is gone already counts as deleted.
    pub async fn delete_exactly<K: Object>(&self, object: &K) -> Result<()> {
        let precondition = Precondition { uid: Some(object.uid().to_owned()), resource_version: None };
        match self
            .delete::<K>(&object.key(), &DeleteOptions { precondition, ..DeleteOptions::default() })
            .await
        {
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            deleted => deleted,
        }
    }

    /// What is under the types, for code that handles all kinds alike.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

pub(crate) fn typed<K: Object>(object: Arc<dyn DynObject>) -> Result<Arc<K>> {
    let found = object.kind();
    downcast(object).ok_or_else(|| {
        Error::Internal(format!(
            "asked for {:?} and got {found:?}: the backend mixed up two kinds",
            K::kind()
        ))
    })
}
