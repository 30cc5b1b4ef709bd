//! Create.

use std::sync::Arc;

use objects::{Cause, Error};
use resources::{DynObject, Kind, ObjectKey, builtin::Namespace, meta::ObjectMeta};

use super::{Caller, Registry, Wanted, addresses::Claim, dry_run_result, metadata, strategy};
use crate::store::{Refused, Stored, Write};
use crate::{apply::Managed, aside::aside};

/// How many generated names are tried before one is free (upstream: apiserver, `RetryGenerateName`).
const GENERATED_NAMES_MAX: usize = 8;

impl Registry {
    /// Creates an object; returns it as stored.
    pub(crate) async fn create(&self, wanted: Wanted, caller: &Caller<'_>) -> Result<Arc<Stored>, Error> {
        let Wanted { object, size_hint, applied } = wanted;
        let kind = object.kind();
        let given = object.metadata();
        let generated = given.name.as_deref().is_none_or(str::is_empty);
        let mut attempt = 1;
        loop {
            let metadata = metadata::of_new(kind, given, &self.environment)?;
            match self.create_named(&object, size_hint, applied.as_ref(), metadata, caller).await {
                Err(Error::AlreadyExists { .. }) if generated && attempt < GENERATED_NAMES_MAX => {
                    attempt += 1
                }
                outcome => return outcome,
            }
        }
    }

    async fn create_named(
        &self,
        object: &Arc<dyn DynObject>,
        size_hint: usize,
        applied: Option<&Managed>,
        metadata: ObjectMeta,
        caller: &Caller<'_>,
    ) -> Result<Arc<Stored>, Error> {
        let kind = object.kind();
        let key = ObjectKey::of(&metadata);
        self.check_room(&**object)?;
        // Upstream asks where an object is to be before it looks at the object itself.
        self.store.check_home(kind, &key).map_err(|refused| refusal(kind, &key, refused))?;
        let (object, bytes, claim) = aside(self.work_bytes(kind, caller, size_hint), || {
            let given = object;
            let object = strategy::first_state(Arc::clone(object).with_metadata(metadata));
            let object = self.with_service_account(object)?;
            let object = self.admit(object, None, caller)?;
            let object = match applied {
                Some(managed) => self.with_managers(object, managed.clone(), 0)?,
                None => self.first_managed(object, &**given, caller)?,
            };
            let (object, claim) = self.addresses.claim(object, None, &self.environment)?;
            let object = self.to_stored(object)?;
            let bytes = self.check_size(&*object, None, size_hint, caller)?;
            Ok::<_, Error>((object, bytes, claim))
        })
        .await?;
        let metadata = object.metadata().clone();
        let durability = caller.durability(kind, false);
        let write = Write { object, metadata, before: None, durability, size_hint: bytes };
        if caller.dry_run {
            self.store.check(&write).map_err(|refused| refusal(kind, &key, refused))?;
            return self.view(kind, dry_run_result(write.object));
        }
        let stored = self.store.put(write).map_err(|refused| refusal(kind, &key, refused))?;
        claim.into_iter().for_each(Claim::keep);
        self.written(&stored, durability).await?;
        self.view(kind, stored)
    }
}

fn refusal(kind: &'static Kind, key: &ObjectKey, refused: Refused) -> Error {
    let name = key.name.clone();
    match refused {
        Refused::Raced => Error::AlreadyExists { kind, name },
        Refused::NamespaceMissing => {
            Error::NotFound { kind: <Namespace as resources::Object>::kind(), name: key.namespace.clone() }
        }
        Refused::NamespaceTerminating => {
            let namespace = &key.namespace;
            let message = format!(
                "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being \
                 terminated",
                kind.resource()
            );
            let cause = Cause {
                field: "metadata.namespace".into(),
                reason: "NamespaceTerminating".into(),
                message: format!("namespace {namespace} is being terminated"),
            };
            Error::Forbidden { object: Some((kind, name)), message, cause: Some(Box::new(cause)) }
        }
        Refused::KindMissing => Error::NotFound { kind, name },
        Refused::KindTerminating => Error::forbidden(
            kind,
            &name,
            "create not allowed while custom resource definition is terminating",
        ),
        Refused::Journal(error) => error,
    }
}
