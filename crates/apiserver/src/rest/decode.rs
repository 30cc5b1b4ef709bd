//! From a JSON tree to an object, as strictly as the client wishes.

use std::{collections::HashMap, fmt, sync::Arc};

use resources::{COMPLAINTS_MAX, DynObject, Kind};
use serde_json::{Value, json};

use super::{body::Parsed, call::Call, json, path::Resource};
use crate::{aside::aside, status::Failure};

/// What happens to fields that a kind does not have (upstream: `fieldValidation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

impl FieldValidation {
    pub(super) fn of(call: &Call) -> Result<Self, Failure> {
        match call.query.get("fieldValidation") {
            None | Some("Warn") => Ok(Self::Warn),
            Some("Ignore") => Ok(Self::Ignore),
            Some("Strict") => Ok(Self::Strict),
            Some(other) => {
                let why = format!(
                    "Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                );
                Err(Failure::options(call.options_kind(), &[("fieldValidation", why)]))
            }
        }
    }
}

/// An object, and what its sender should be warned of.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) object: Arc<dyn DynObject>,
    pub(super) warnings: Vec<String>,
}

/// What is wrong with a tree that should be an object.
pub(super) enum Misfit {
    /// It is not of the kind.
    Type(String),
    /// It has unknown or duplicate fields, and validation is strict.
    Strict(String),
}

/// A field that should not be as it is.
enum Complaint {
    Unknown(String),
    Twice(String),
}

impl Complaint {
    fn path(&self) -> &str {
        match self {
            Self::Unknown(path) | Self::Twice(path) => path,
        }
    }

    /// Where in a text it is noticed: where a field comes that is unknown, or comes again.
    fn place(&self, places: &HashMap<String, Vec<usize>>) -> usize {
        let at = match self {
            Self::Unknown(_) => 0,
            Self::Twice(_) => 1,
        };
        places.get(self.path()).and_then(|places| places.get(at)).copied().unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(path) => write!(f, "unknown field \"{path}\""),
            Self::Twice(path) => write!(f, "duplicate field \"{path}\""),
        }
    }
}

/// The object in a body that was sent to `resource`.
pub(super) async fn object(
    parsed: Parsed,
    resource: &Resource,
    validation: FieldValidation,
) -> Result<Decoded, Failure> {
    aside(parsed.bytes, || object_now(parsed, resource, validation)).await
}

fn object_now(parsed: Parsed, resource: &Resource, validation: FieldValidation) -> Result<Decoded, Failure> {
    let kind = resource.kind;
    let mut value = parsed.value;
    check_kind(kind, &mut value)?;
    check_key(resource, &mut value)?;
    put_in_place(resource, &mut value);
    decode(resource, value, parsed.duplicates, parsed.text.as_deref(), validation).map_err(|misfit| {
        let why = match misfit {
            Misfit::Type(why) => why,
            Misfit::Strict(why) => format!("strict decoding error: {why}"),
        };
        Failure::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {why}",
            kind.kind, kind.version, kind.kind
        ))
    })
}

/// A tree as an object of a resource.
pub(super) fn decode(
    resource: &Resource,
    mut value: Value,
    duplicates: Vec<String>,
    text: Option<&[u8]>,
    validation: FieldValidation,
) -> Result<Decoded, Misfit> {
    let pruned = resource.definition.as_ref().map(|definition| definition.complete(&mut value)).transpose();
    let pruned = pruned.map_err(|too_large| Misfit::Type(too_large.to_string()))?;
    let (object, mut unknown) =
        resource.kind.decode_strict(value).map_err(|error| Misfit::Type(error.message))?;
    unknown.extend(pruned.unwrap_or_default());
    let unknown = unknown.into_iter().map(Complaint::Unknown);
    let mut complaints: Vec<_> = duplicates.into_iter().map(Complaint::Twice).chain(unknown).collect();
    if let Some(text) = text.filter(|_| complaints.len() > 1) {
        let places = json::places(text, complaints.iter().map(Complaint::path));
        complaints.sort_by_key(|complaint| complaint.place(&places));
    }
    // Upstream reports no more than these either.
    let complaints: Vec<_> = complaints.iter().take(COMPLAINTS_MAX).map(ToString::to_string).collect();
    match validation {
        FieldValidation::Strict if !complaints.is_empty() => Err(Misfit::Strict(complaints.join(", "))),
        FieldValidation::Warn => Ok(Decoded { object, warnings: complaints }),
        FieldValidation::Strict | FieldValidation::Ignore => Ok(Decoded { object, warnings: Vec::new() }),
    }
}

/// Checks `apiVersion` and `kind` against the path; fills in those that are missing.
fn check_kind(kind: &Kind, value: &mut Value) -> Result<(), Failure> {
    let Value::Object(fields) = value else {
        return Err(Failure::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: the body is not a JSON object",
            kind.kind, kind.version, kind.kind
        )));
    };
    let api_version = kind.api_version();
    if kind.is_defined() && fields.get("kind").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing",
            kind.kind
        )));
    }
    let name = fields.get("metadata").and_then(|metadata| metadata["name"].as_str()).map(str::to_owned);
    let given = fields.entry("apiVersion").or_insert_with(|| json!(api_version));
    let given_version = given.as_str().unwrap_or_default().to_owned();
    let given_kind = fields.entry("kind").or_insert_with(|| json!(kind.kind)).as_str().unwrap_or_default();
    if given_version != api_version {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )));
    }
    if given_kind != kind.kind && kind.is_defined() {
        let name = name.as_deref().unwrap_or_default();
        return Err(Failure::wrong_kind(kind, given_kind, name));
    }
    if given_kind != kind.kind {
        return Err(Failure::bad_request(format!(
            "{given_kind} in version \"{}\" cannot be handled as a {}: the path is one of {}",
            kind.version,
            kind.kind,
            kind.resource()
        )));
    }
    Ok(())
}

/// An object is in the namespace of its path, whether it says so or not.
pub(super) fn put_in_place(resource: &Resource, value: &mut Value) {
    let metadata = value.as_object_mut().map(|fields| fields.entry("metadata").or_insert_with(|| json!({})));
    if let (Some(namespace), Some(Value::Object(metadata))) = (&resource.namespace, metadata) {
        metadata.insert("namespace".into(), namespace.as_str().into());
    }
}

/// The namespace and the name in the body must be the path's; the namespace may be left out.
fn check_key(resource: &Resource, value: &mut Value) -> Result<(), Failure> {
    check_given_key(resource, value)?;
    resource.name.as_deref().map_or(Ok(()), |name| check_named(value, name))
}

/// The body must say which name it is for, and it must be `name`, which is the path's.
pub(super) fn check_name(value: &Value, name: &str) -> Result<(), Failure> {
    check_named(value, name)?;
    check_given_name(value, name)
}

/// The body must say which name it is for; `name` is the path's.
pub(super) fn check_named(value: &Value, name: &str) -> Result<(), Failure> {
    if !given_name(value).is_empty() {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "the name of the object ({name} based on URL) was undeterminable: name must be provided"
    )))
}

fn check_given_name(value: &Value, name: &str) -> Result<(), Failure> {
    let given = given_name(value);
    if given.is_empty() || given == name {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "the name of the object ({given}) does not match the name on the URL ({name})"
    )))
}

fn given_name(value: &Value) -> &str {
    value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// As far as the body says which namespace and which name it is for, they must be the path's.
pub(super) fn check_given_key(resource: &Resource, value: &mut Value) -> Result<(), Failure> {
    let Some(metadata) =
        value.as_object_mut().map(|fields| fields.entry("metadata").or_insert_with(|| json!({})))
    else {
        return Ok(());
    };
    let text = |metadata: &Value, field: &str| {
        metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if let Some(namespace) = &resource.namespace {
        let given = text(metadata, "namespace");
        if !given.is_empty() && given != *namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    resource.name.as_deref().map_or(Ok(()), |name| check_given_name(value, name))
}
