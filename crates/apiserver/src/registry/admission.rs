//! Where objects pass `resources::admission`, and the rules of the embedded home.

use std::sync::Arc;

use objects::Error;
use resources::{
    DynObject,
    admission::{self, Operation, Request, admit},
};

use super::{Caller, Origin, Registry, embedded, provided};
use crate::{aside::aside, status};

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
        let now = self.environment.timestamp();
        let from_outside = caller.origin == Origin::Network;
        let request = Request {
            operation,
            subresource: None,
            dry_run: caller.dry_run,
            user: caller.user,
            binds: caller.binds,
            is_own: !from_outside,
            now,
        };
        let object = admit(&request, object, &self.configs.current())
            .map_err(|rejection| status::from_rejection(kind, name.clone(), rejection))?;
        let object = self.admit_definition(object, caller)?;
        let object = if from_outside { provided::settle(object) } else { object };
        if from_outside && old.is_none_or(|old| kind.same_spec(&**old, &*object) != Some(true)) {
            let causes = embedded::refusals(&*object);
            if !causes.is_empty() {
                return Err(Error::Invalid { kind, name, causes });
            }
        }
        Ok(object)
    }

    /// What is right about an object that was admitted, but unwise or without effect, for `Warning` headers. Only what is
    /// new: whoever changes something else was told when they asked for it.
    pub(crate) async fn warnings(
        &self,
        object: &dyn DynObject,
        before: Option<&dyn DynObject>,
    ) -> Vec<String> {
        let all = |object| {
            let mut warnings = admission::warnings(object, &self.configs.current());
            warnings.extend(embedded::warnings(object));
            warnings
        };
        let known = before.map(all).unwrap_or_default();
        let mut warnings = all(object);
        warnings.retain(|warning| !known.contains(warning));
        if let (Some(before), Ok(Some(definition))) = (before, self.kinds.definition(object.kind())) {
            warnings.extend(aside(definition.work_bytes(), || definition.known_faults(object, before)).await);
        }
        warnings
    }
}
