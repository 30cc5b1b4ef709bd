//! Delete.

use std::sync::Arc;

use jiff::SignedDuration;
use objects::{DeleteOptions, Error, Precondition};
use resources::{
    DynObject, Kind, Object, ObjectKey,
    builtin::{ConfigMap, Namespace},
    config,
    meta::{ObjectMeta, Time},
    reserved::SYSTEM_NAMESPACE,
};

use super::{Caller, Origin, Registry, definitions, dry_run_result, finalizers, grace, strategy};
use crate::store::{Stored, Write};

/// The outcome of a delete.
pub(crate) struct Deleted {
    /// The object as it is now, or its last state.
    pub(crate) stored: Arc<Stored>,
    /// Whether it was removed; otherwise it is marked, and is removed when nothing holds it any more.
    pub(crate) gone: bool,
}

enum Step {
    /// It is being deleted already.
    Nothing,
    Mark(Arc<dyn DynObject>),
    Remove(Arc<dyn DynObject>),
}

/// Namespaces that everything rests on (upstream: kubernetes, NamespaceLifecycle).
const IMMORTAL: &[&str] = &["default", "kube-public", "kube-system"];

impl Registry {
    /// Deletes an object, or marks it if finalizers or a grace period hold it.
    pub(crate) async fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
        caller: &Caller<'_>,
    ) -> Result<Deleted, Error> {
        check_mortal(kind, key, caller.origin)?;
        for _ in 0..self.limits.write_attempts_max {
            let (before, current) = self.read(kind, key)?;
            let present = current.warm()?;
            check_preconditions(kind, present.metadata(), options)?;
            let (object, gone) = match self.step(&present, options) {
                Step::Nothing => {
                    self.settled(&current, caller.durability(kind, false)).await?;
                    return Ok(Deleted { stored: current, gone: false });
                }
                Step::Mark(object) => (object, false),
                Step::Remove(object) => (object, true),
            };
            if caller.dry_run || options.dry_run {
                return Ok(Deleted { stored: dry_run_result(object), gone });
            }
            let durability = caller.durability(kind, false);
            let object = self.to_stored(object)?;
            let metadata = object.metadata().clone();
            let size_hint = current.cost();
            let write = Write { object, metadata, before: Some(before), durability, size_hint };
            if let Some(stored) = self.commit(write, None, gone).await? {
                return Ok(Deleted { stored: self.view(kind, stored)?, gone });
            }
        }
        Err(Error::Conflict {
            kind,
            name: key.name.clone(),
            message: "the object is being changed too often to be deleted; try again".into(),
        })
    }

    fn step(&self, present: &Arc<dyn DynObject>, options: &DeleteOptions) -> Step {
        let old = present.metadata();
        let mut metadata = old.clone();
        finalizers::propagate(&mut metadata, options.propagation);
        definitions::hold(&**present, &mut metadata);
        let grace = grace::seconds(&**present, options.grace_period_seconds).unwrap_or_default();
        let is_held = metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
            || strategy::has_own_finalizers(&**present);
        let is_graceful = grace::seconds(&**present, None).is_some();
        if !is_held && grace == 0 {
            // What could have had time shows that it was given none.
            if is_graceful {
                self.mark(&mut metadata, 0);
                return Step::Remove(Arc::clone(present).with_metadata(metadata));
            }
            return Step::Remove(Arc::clone(present));
        }
        match old.deletion_grace_period_seconds.filter(|_| old.deletion_timestamp.is_some()) {
            // A second delete can only shorten the grace period.
            Some(left) if grace >= left && metadata.finalizers == old.finalizers => return Step::Nothing,
            None if old.deletion_timestamp.is_some() && metadata.finalizers == old.finalizers => {
                return Step::Nothing;
            }
            _ => {}
        }
        let first = old.deletion_timestamp.is_none();
        if first || old.deletion_grace_period_seconds.is_some_and(|left| grace < left) {
            self.mark(&mut metadata, grace);
        }
        let marked = Arc::clone(present).with_metadata(metadata);
        Step::Mark(if first { strategy::dying(marked, &self.environment.now()) } else { marked })
    }

    fn mark(&self, metadata: &mut ObjectMeta, grace: i64) {
        let now = self.environment.now();
        let end = now.0.checked_add(SignedDuration::from_secs(grace)).unwrap_or(now.0);
        if metadata.deletion_timestamp.is_none() {
            metadata.generation = metadata.generation.map(|generation| generation + 1);
        }
        metadata.deletion_timestamp = Some(Time(end));
        metadata.deletion_grace_period_seconds = Some(grace);
    }
}

fn check_preconditions(
    kind: &'static Kind,
    found: &ObjectMeta,
    options: &DeleteOptions,
) -> Result<(), Error> {
    let Precondition { uid, resource_version } = &options.precondition;
    let asked = [
        ("UID", uid, &found.uid, "deleted and then recreated"),
        ("ResourceVersion", resource_version, &found.resource_version, "modified"),
    ];
    for (what, wanted, found_value, happened) in asked {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| Some(*wanted) != found_value.as_ref()) {
            let record = found_value.as_deref().unwrap_or_default();
            let message = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({record}). The object \
                 might have been {happened}"
            );
            let name = found.name.clone().unwrap_or_default();
            return Err(Error::Precondition { kind, name, message });
        }
    }
    Ok(())
}

/// What stays although the caller may delete its like. Who removes a release of Knative deletes its configuration and the
/// namespace of that with the rest; here both are Ebb's own.
fn check_mortal(kind: &'static Kind, key: &ObjectKey, origin: Origin) -> Result<(), Error> {
    let why = if *kind == *<Namespace as Object>::kind() {
        match key.name.as_str() {
            SYSTEM_NAMESPACE => "this namespace may not be deleted: the configuration of Ebb is in it",
            name if IMMORTAL.contains(&name) => "this namespace may not be deleted",
            _ => return Ok(()),
        }
    } else if *kind == *<ConfigMap as Object>::kind()
        && origin == Origin::Network
        && config::is_platforms(&key.namespace, &key.name)
    {
        "the configuration of Ebb may not be deleted; remove its keys to go back to the defaults"
    } else {
        return Ok(());
    };
    Err(Error::forbidden(kind, &key.name, why))
}
