//! CustomResourceDefinitions: what follows from one for the kinds that are served, and for their objects.
//!
//! ```text
//!   written ─► observe ─► names, conditions ─► written again, until nothing changes
//!   deleted ─► held by a finalizer ─► its objects are deleted ─► the last one gone ─► the finalizer goes
//! ```

mod clean_up;

use std::{any::Any, sync::Arc};

use objects::Error;
use resources::{
    DynObject, Kind, Object, ObjectKey,
    custom::{self, CustomResourceDefinition, ESTABLISHED, is_built_in},
    downcast,
    meta::ObjectMeta,
};
use storage::objects::Durability;

pub(crate) use self::clean_up::clean_up;
use super::{Caller, Origin, Registry, provided};
use crate::{
    served::form,
    store::{PageOptions, Refused, Selection, Start, Stored, Write},
};

/// Stays until every object of a definition's kinds is gone (upstream: apiextensions-apiserver).
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

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
    /// Loads the stored definitions.
    pub(crate) async fn load_definitions(&self) -> Result<(), Error> {
        let all = PageOptions { limit: 0, from: Start::Now };
        let page =
            self.store.page(<CustomResourceDefinition as Object>::kind(), &Selection::default(), all).await?;
        self.kinds.observe_all(page.items.iter().map(|stored| &**stored))?;
        self.kinds.groups().iter().try_for_each(|group| self.settle_group(group))
    }

    /// A stored object in the version or form of `kind`; unchanged if the kind is no longer defined.
    pub(super) fn view(&self, kind: &'static Kind, stored: Arc<Stored>) -> Result<Arc<Stored>, Error> {
        if !kind.is_defined() {
            return Ok(form::of(kind, &stored)?.unwrap_or(stored));
        }
        match self.kinds.served().definition(kind) {
            Some(definition) => definition.view(&stored),
            None => Ok(stored),
        }
    }

    /// An object in its storage version, or in the form that is stored.
    pub(super) fn to_stored(&self, object: Arc<dyn DynObject>) -> Result<Arc<dyn DynObject>, Error> {
        let kind = object.kind();
        if !kind.is_defined() {
            return Ok(kind.to_original(&*object).unwrap_or(object));
        }
        match self.kinds.served().definition(kind) {
            Some(definition) => definition.to_stored(object),
            None => Ok(object),
        }
    }

    /// Refuses a definition beyond the limit. Those of built-in kinds do not count: they are few, and define nothing.
    pub(super) fn check_room(&self, object: &dyn DynObject) -> Result<(), Error> {
        let Some(crd) = (object as &dyn Any).downcast_ref::<CustomResourceDefinition>() else {
            return Ok(());
        };
        let max = self.limits.definitions_max;
        if !is_built_in(crd) && self.kinds.of_users() >= max {
            let message = format!(
                "the limit of {max} CustomResourceDefinitions was reached; delete some that are not needed"
            );
            return Err(Error::Forbidden { object: None, message, cause: None });
        }
        Ok(())
    }

    /// Checks a definition against the limits; marks one of a built-in kind.
    pub(super) fn admit_definition(
        &self,
        object: Arc<dyn DynObject>,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        let Some(crd) = (&*object as &dyn Any).downcast_ref::<CustomResourceDefinition>() else {
            return Ok(object);
        };
        if !is_built_in(crd) {
            self.check_definition(crd)?;
            return Ok(object);
        }
        // It is kept and served back, and changes nothing.
        Ok(if caller.origin == Origin::Network { provided::mark(object) } else { object })
    }

    /// Refuses a definition with too many versions, and one when there are too many kinds. Its kinds are not made here but
    /// when it is stored: a dry run must not use them up.
    fn check_definition(&self, crd: &CustomResourceDefinition) -> Result<(), Error> {
        let (versions, max) = (crd.spec.versions.len(), self.limits.versions_max);
        if versions > max {
            let (kind, name) = (crd.kind(), crd.name().to_owned());
            let why = format!("Too many: {versions}: must have at most {max} items");
            return Err(super::metadata::invalid(kind, name, "spec.versions", "FieldValueTooMany", why));
        }
        let room = custom::check_room(crd);
        room.map_err(|full| Error::Forbidden { object: None, cause: None, message: full.to_string() })
    }

    /// Updates the served kinds after a definition was written.
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

    /// Updates the served kinds after an object or a definition was removed.
    pub(super) fn undefined(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        if stored.kind.is_defined() && self.store.is_empty(stored.kind) {
            self.kinds.emptied(stored.kind);
        }
        if stored.kind != <CustomResourceDefinition as Object>::kind() {
            return Ok(());
        }
        self.kinds.forget(stored)?;
        match downcast::<CustomResourceDefinition>(stored.object()?) {
            // Its names are free for another definition now.
            Some(crd) => self.settle_group(&crd.spec.group),
            None => Ok(()),
        }
    }

    /// Accepts the names of a group's definitions where they do not clash, and writes the outcome to their statuses.
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
                let settled = custom::settle(&crd, taken.iter(), &self.environment.now());
                if settled == *crd {
                    break;
                }
                let write = Write {
                    metadata: settled.metadata.clone(),
                    object: Arc::new(settled),
                    size_hint: current.cost(),
                    before: Some(current),
                    // If it is lost, the next start does the same again.
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
}

#[cfg(test)]
mod tests;
