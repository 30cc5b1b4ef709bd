//! Where objects pass `resources::admission`.

use std::sync::Arc;

use objects::Error;
use resources::{
    DynObject,
    admission::{Operation, Request, admit},
};

use super::{Caller, Origin, Registry, embedded};
use crate::status;

impl Registry {
    /// Defaults and validates an object.
    pub(super) fn admit(
        &self,
        object: Arc<dyn DynObject>,
        old: Option<&Arc<dyn DynObject>>,
        caller: &Caller<'_>,
    ) -> Result<Arc<dyn DynObject>, Error> {
        if let Some(definition) = self.kinds.definition(object.kind())? {
            definition.check(&*object, old.map(|old| &**old), false)?;
            return Ok(object);
        }
        let (kind, name) = (object.kind(), object.metadata().name.clone().unwrap_or_default());
        let operation = old.map_or(Operation::Create, |old| Operation::Update { old: Arc::clone(old) });
        let now = self.chance.timestamp();
        let request =
            Request { operation, subresource: None, dry_run: caller.dry_run, user: caller.user, now };
        let object = admit(&request, object, &self.configs.current())
            .map_err(|rejection| status::from_rejection(kind, name, rejection))?;
        let object = self.admit_definition(object, caller)?;
        let changed = old.is_none_or(|old| kind.same_spec(&**old, &*object) != Some(true));
        if caller.origin == Origin::Network
            && changed
            && let Some(unsupported) = embedded::unsupported(&*object)
        {
            return Err(Error::BadRequest(unsupported.to_string()));
        }
        Ok(object)
    }
}
