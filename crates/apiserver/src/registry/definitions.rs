//! CustomResourceDefinitions: what follows from one for the kinds that are served, and for their objects.
//!
//! ```text
//!   written ─► observe ─► names, conditions ─► written again, until nothing changes
//!   deleted ─► held by a finalizer ─► its objects are deleted ─► the last one gone ─► the finalizer goes
//! ```

use std::{
    any::Any,
    sync::{Arc, Weak},
};

use objects::{DeleteOptions, Error};
use resources::{
    DynObject, Kind, Object, ObjectKey,
    custom::{self, CustomResourceDefinition, ESTABLISHED, is_built_in},
    downcast,
    meta::ObjectMeta,
};
use storage::objects::Durability;

use super::{Caller, Origin, Registry, Target, Wanted};
use crate::store::{From, PageOptions, Refused, Selection, Stored, Write};

/// Stays until every object of a definition's kinds is gone (upstream: apiextensions-apiserver).
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// Marks a definition of a kind that Ebb itself has: it is kept and served back, and changes nothing.
const PROVIDED: &str = "ebb.internal/provided";

/// Holds a definition that is to be deleted until its objects are gone.
pub(super) fn hold(object: &dyn DynObject, metadata: &mut ObjectMeta) {
    let Some(crd) = (object as &dyn Any).downcast_ref::<CustomResourceDefinition>() else { return };
    if metadata.deletion_timestamp.is_none() && !is_built_in(crd) && custom::is_true(crd, ESTABLISHED) {
        let finalizers = metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|name| name == CLEANUP) {
            finalizers.push(CLEANUP.to_owned());
        }
    }
}

impl Registry {
    /// Takes in the definitions that are stored.
    pub(crate) async fn load_definitions(&self) -> Result<(), Error> {
        let all = PageOptions { limit: 0, from: From::Now };
        let page =
            self.store.page(<CustomResourceDefinition as Object>::kind(), &Selection::default(), all).await?;
        self.kinds.observe_all(page.items.iter().map(|stored| &**stored))?;
        self.kinds.groups().iter().try_for_each(|group| self.settle_group(group))
    }

    /// A stored object as one of the kind; as it is, where nobody defines the kind any more.
    pub(super) fn view(&self, kind: &'static Kind, stored: Arc<Stored>) -> Result<Arc<Stored>, Error> {
        if !kind.is_defined() {
            return Ok(stored);
        }
        match self.kinds.served().definition(kind) {
            Some(definition) => definition.view(&stored),
            None => Ok(stored),
        }
    }

    /// An object as it is stored.
    pub(super) fn to_stored(&self, object: Arc<dyn DynObject>) -> Result<Arc<dyn DynObject>, Error> {
        if !object.kind().is_defined() {
            return Ok(object);
        }
        match self.kinds.served().definition(object.kind()) {
            Some(definition) => definition.to_stored(object),
            None => Ok(object),
        }
    }

    /// Whether there may be one more definition.
    pub(super) fn check_room(&self, kind: &'static Kind) -> Result<(), Error> {
        let max = self.limits.definitions_max;
        if kind == <CustomResourceDefinition as Object>::kind() && self.kinds.len() >= max {
            return Err(Error::Forbidden(format!(
                "there are {max} CustomResourceDefinitions, and there can be no more; delete some that are not needed"
            )));
        }
        Ok(())
    }

    /// Whether a definition's kinds can be made; one of a kind that Ebb itself has is marked.
    pub(super) fn admit_definition(
        &self,
        object: Arc<dyn DynObject>,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let Some(crd) = (&*object as &dyn Any).downcast_ref::<CustomResourceDefinition>() else {
            return Ok(object);
        };
        if !is_built_in(crd) {
            custom::kinds(crd).map_err(|error| Error::Forbidden(error.to_string()))?;
            return Ok(object);
        }
        if caller.origin != Origin::Network {
            return Ok(object);
        }
        let mut metadata = object.metadata().clone();
        metadata.annotations.get_or_insert_default().insert(PROVIDED.into(), "true".into());
        Ok(object.with_metadata(metadata))
    }

    /// What follows from a definition that was written.
    pub(super) fn defined(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        if stored.kind != <CustomResourceDefinition as Object>::kind() {
            return Ok(());
        }
        self.kinds.observe(stored)?;
        match downcast::<CustomResourceDefinition>(stored.object()?) {
            Some(crd) => self.settle_group(&crd.spec.group),
            None => Ok(()),
        }
    }

    /// What follows from an object, or a definition, that is gone.
    pub(super) fn undefined(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        self.kinds.one_less(stored.kind);
        if stored.kind != <CustomResourceDefinition as Object>::kind() {
            return Ok(());
        }
        self.kinds.forget(stored)?;
        match downcast::<CustomResourceDefinition>(stored.object()?) {
            // Another may have waited for its names.
            Some(crd) => self.settle_group(&crd.spec.group),
            None => Ok(()),
        }
    }

    /// Gives the definitions of a group their names, and writes what follows into their statuses.
    fn settle_group(&self, group: &str) -> Result<(), Error> {
        let _one_at_a_time = self.kinds.naming.lock();
        for name in self.kinds.without_names(group) {
            for _ in 0..self.limits.write_attempts_max {
                let key = ObjectKey::cluster(name.as_str());
                let Some(current) = self.store.get(<CustomResourceDefinition as Object>::kind(), &key)?
                else {
                    break;
                };
                let Some(crd) = downcast::<CustomResourceDefinition>(current.object()?) else { break };
                let taken = self.kinds.given(group, &name);
                let settled = custom::settle(&crd, taken.iter(), &self.chance.now());
                if settled == *crd {
                    break;
                }
                let write = Write {
                    metadata: settled.metadata.clone(),
                    object: Arc::new(settled),
                    size_hint: current.cost(),
                    before: Some(current),
                    // It is found out again at the next start, if it is lost.
                    durability: Durability::Soon,
                };
                match self.store.put(write) {
                    Ok(stored) => {
                        self.kinds.observe(&stored)?;
                        break;
                    }
                    Err(Refused::Journal(error)) => return Err(error),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Deletes the objects of the definitions that are on their way out, and lets those go that have none left.
    async fn sweep(&self) -> Result<(), Error> {
        for (name, kind) in self.kinds.going() {
            let left = match kind {
                Some(kind) => self.delete_all(kind).await?,
                None => 0,
            };
            if left == 0 {
                self.let_go(&name).await?;
            }
        }
        Ok(())
    }

    /// Deletes all objects of a kind; returns how many are still there, held by finalizers.
    async fn delete_all(&self, kind: &'static Kind) -> Result<usize, Error> {
        let mut left = 0;
        let mut from = From::Now;
        loop {
            let page = PageOptions { limit: self.limits.delete_page, from };
            let page = self.store.page(kind, &Selection::default(), page).await?;
            for stored in page.items {
                let key = ObjectKey::of(stored.object()?.metadata());
                match self.delete(kind, &key, &DeleteOptions::default(), &Caller::bootstrap()).await {
                    Ok(deleted) => left += usize::from(!deleted.gone),
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next {
                Some(place) => from = From::Place(place),
                None => return Ok(left),
            }
        }
    }

    /// Takes the finalizer off a definition.
    async fn let_go(&self, name: &str) -> Result<(), Error> {
        let change = |current: &Stored| {
            let object = current.object()?;
            let mut metadata = object.metadata().clone();
            metadata.resource_version = None;
            if let Some(finalizers) = &mut metadata.finalizers {
                finalizers.retain(|finalizer| finalizer != CLEANUP);
            }
            Ok::<_, Error>(Wanted::typed(object.with_metadata(metadata)))
        };
        let (kind, key) = (<CustomResourceDefinition as Object>::kind(), ObjectKey::cluster(name));
        match self.update(kind, &key, Target::Object, &Caller::bootstrap(), change).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Takes away what belongs to definitions that are on their way out, until the registry is gone.
pub(crate) async fn clean_up(registry: Weak<Registry>) {
    let Some(mut news) = registry.upgrade().map(|registry| registry.kinds.terminating()) else { return };
    loop {
        news.borrow_and_update();
        let Some(registry) = registry.upgrade() else { return };
        if let Err(error) = registry.sweep().await {
            tracing::warn!(%error, "the objects of a CustomResourceDefinition that is deleted cannot be removed yet");
        }
        drop(registry);
        if news.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
