//! The parts of `metadata` that belong to the server (upstream: apiserver, `registry/rest`).

use objects::{Cause, Error};
use resources::{Kind, meta::ObjectMeta};

use super::strategy;
use crate::environment::Environment;

/// The longest prefix of a generated name that is kept (upstream: apiserver, `storage/names`).
const GENERATED_PREFIX_MAX: usize = 58;

/// The metadata of a new object.
pub(super) fn of_new(
    kind: &'static Kind,
    given: &ObjectMeta,
    environment: &Environment,
) -> Result<ObjectMeta, Error> {
    if objects::says_version(given) {
        return Err(Error::BadRequest("resourceVersion should not be set on objects to be created".into()));
    }
    let mut metadata = given.clone();
    let namespace = metadata.namespace.take().filter(|namespace| !namespace.is_empty());
    match (kind.namespaced, namespace) {
        (true, None) => {
            return Err(Error::BadRequest("an empty namespace may not be set during creation".into()));
        }
        (false, Some(_)) => {
            let name = metadata.name.unwrap_or_default();
            return Err(invalid(
                kind,
                name,
                "metadata.namespace",
                "FieldValueForbidden",
                "Forbidden: not allowed on this type",
            ));
        }
        (_, namespace) => metadata.namespace = namespace,
    }
    if metadata.name.as_deref().is_none_or(str::is_empty) {
        metadata.name = Some(generated(kind, metadata.generate_name.as_deref(), environment)?);
    }
    metadata.uid = Some(environment.uid());
    metadata.creation_timestamp = Some(environment.now());
    // One that nobody counts is whatever its creator says.
    if strategy::has_generation(kind) {
        metadata.generation = Some(1);
    }
    metadata.resource_version = None;
    metadata.deletion_timestamp = None;
    metadata.deletion_grace_period_seconds = None;
    metadata.self_link = None;
    metadata.managed_fields = None;
    leave_out_empty(&mut metadata);
    Ok(metadata)
}

fn generated(kind: &'static Kind, prefix: Option<&str>, environment: &Environment) -> Result<String, Error> {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else {
        let message = "Required value: name or generateName is required";
        return Err(invalid(kind, String::new(), "metadata.name", "FieldValueRequired", message));
    };
    let end = prefix
        .char_indices()
        .map(|(at, char)| at + char.len_utf8())
        .take_while(|end| *end <= GENERATED_PREFIX_MAX);
    let end = end.last().unwrap_or_default();
    Ok(format!("{}{}", &prefix[..end], environment.suffix()))
}

/// The metadata of an object that takes the place of `current`.
pub(super) fn of_update(
    kind: &'static Kind,
    current: &ObjectMeta,
    wanted: &ObjectMeta,
) -> Result<ObjectMeta, Error> {
    check_uid(kind, current, wanted.uid.as_deref())?;
    let mut metadata = wanted.clone();
    metadata.name.clone_from(&current.name);
    metadata.namespace.clone_from(&current.namespace);
    metadata.generate_name.clone_from(&current.generate_name);
    metadata.uid.clone_from(&current.uid);
    metadata.creation_timestamp.clone_from(&current.creation_timestamp);
    metadata.deletion_timestamp.clone_from(&current.deletion_timestamp);
    metadata.deletion_grace_period_seconds = current.deletion_grace_period_seconds;
    metadata.generation = current.generation;
    metadata.resource_version.clone_from(&current.resource_version);
    metadata.self_link = None;
    metadata.managed_fields.clone_from(&current.managed_fields);
    leave_out_empty(&mut metadata);
    Ok(metadata)
}

/// Absent and empty are the same, and only one of them is stored.
fn leave_out_empty(metadata: &mut ObjectMeta) {
    let ObjectMeta { labels, annotations, finalizers, owner_references, .. } = metadata;
    *labels = labels.take().filter(|labels| !labels.is_empty());
    *annotations = annotations.take().filter(|annotations| !annotations.is_empty());
    *finalizers = finalizers.take().filter(|finalizers| !finalizers.is_empty());
    *owner_references = owner_references.take().filter(|owners| !owners.is_empty());
}

/// Whether the object is still the one with this uid.
pub(super) fn check_uid(
    kind: &'static Kind,
    current: &ObjectMeta,
    wanted: Option<&str>,
) -> Result<(), Error> {
    let found = current.uid.as_deref().unwrap_or_default();
    match wanted.filter(|uid| !uid.is_empty()) {
        Some(wanted) if wanted != found => Err(Error::Conflict {
            kind,
            name: current.name.clone().unwrap_or_default(),
            message: format!(
                "Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
            ),
        }),
        _ => Ok(()),
    }
}

pub(super) fn invalid(
    kind: &'static Kind,
    name: String,
    field: &str,
    reason: &str,
    message: impl Into<String>,
) -> Error {
    let cause = Cause { field: field.into(), reason: reason.into(), message: message.into() };
    Error::Invalid { kind, name, causes: vec![cause] }
}
