//! Patches: what a client sends instead of the whole object.

mod schema;
mod strategic;

use resources::Kind;
use serde_json::Value;

/// A patch that was read and can be applied, again if the object changes meanwhile.
#[derive(Debug)]
pub(crate) struct Patch {
    form: Form,
    duplicates: Vec<String>,
}

#[derive(Debug)]
enum Form {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7396.
    Merge(Value),
    /// Kubernetes' own: lists are merged by the keys of their items.
    Strategic(Value),
}

/// Why a patch is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatchError {
    /// Patches of this type are not taken, or not for this kind.
    MediaType(String),
    /// It has too many operations.
    TooMany(String),
    /// It is no patch.
    Malformed(String),
    /// It is one, but not for this object.
    DoesNotFit(String),
}

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: [&str; 2] = ["application/apply-patch+yaml", "application/apply-patch+cbor"];

impl Patch {
    /// Whether patches of this type are taken for the kind.
    pub(crate) fn check_type(kind: &Kind, media_type: &str) -> Result<(), PatchError> {
        let strategic = schema::of(kind).is_some();
        match media_type {
            JSON | MERGE => Ok(()),
            STRATEGIC if strategic => Ok(()),
            media_type if APPLY.contains(&media_type) => Err(PatchError::MediaType(
                "server-side apply is not supported by this version of Ebb: apply on the client's side (kubectl apply without --server-side)".into(),
            )),
            _ => {
                let accepted = if strategic { format!("{JSON}, {MERGE}, {STRATEGIC}") } else { format!("{JSON}, {MERGE}") };
                Err(PatchError::MediaType(format!(
                    "the body of the request was in an unknown format - accepted media types include: {accepted}"
                )))
            }
        }
    }

    /// Takes a body as a patch of this type.
    pub(crate) fn new(
        media_type: &str,
        body: Value,
        duplicates: Vec<String>,
        operations_max: usize,
    ) -> Result<Self, PatchError> {
        let form = match media_type {
            JSON => {
                let operations = body.as_array().map_or(0, Vec::len);
                if operations > operations_max {
                    return Err(PatchError::TooMany(format!(
                        "Request entity too large: The allowed maximum operations in a JSON patch is {operations_max}, got {operations}"
                    )));
                }
                let patch = serde_json::from_value(body)
                    .map_err(|error| PatchError::Malformed(format!("error decoding patch: {error}")))?;
                Form::Json(patch)
            }
            _ if !body.is_object() => {
                return Err(PatchError::Malformed(
                    "error decoding patch: a merge patch is a JSON object".into(),
                ));
            }
            MERGE => Form::Merge(body),
            _ => Form::Strategic(body),
        };
        Ok(Self { form, duplicates })
    }

    /// The fields that the patch names twice.
    pub(crate) fn duplicates(&self) -> Vec<String> {
        self.duplicates.clone()
    }

    /// The object as the patch wants it.
    pub(crate) fn apply(&self, kind: &Kind, mut object: Value) -> Result<Value, PatchError> {
        match &self.form {
            Form::Json(patch) => {
                json_patch::patch(&mut object, patch).map_err(|error| {
                    PatchError::DoesNotFit(format!(
                        "the server rejected our request due to an error in our request: {error}"
                    ))
                })?;
                Ok(object)
            }
            Form::Merge(patch) => {
                json_patch::merge(&mut object, patch);
                Ok(object)
            }
            Form::Strategic(patch) => {
                let schema = schema::of(kind).unwrap_or(&schema::EMPTY);
                strategic::merge(object, patch, schema)
            }
        }
    }
}
