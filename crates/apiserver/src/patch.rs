//! Patches: what a client sends instead of the whole object.

mod json;
mod strategic;

use resources::Kind;
use serde_json::Value;

use crate::{limits::Limits, schema};

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
/// Server-side apply: not a patch of the object, and carried out elsewhere.
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

impl Patch {
    /// Whether patches of this type are taken for the kind.
    pub(crate) fn check_type(kind: &Kind, media_type: &str) -> Result<(), PatchError> {
        // Upstream, kinds of Knative's are custom resources, which take none.
        let strategic = kind.is_builtin();
        match media_type {
            JSON | MERGE => Ok(()),
            STRATEGIC if strategic => Ok(()),
            _ => {
                let accepted = if strategic {
                    format!("{JSON}, {MERGE}, {STRATEGIC}, {APPLY}")
                } else {
                    format!("{JSON}, {MERGE}, {APPLY}")
                };
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
        limits: &Limits,
    ) -> Result<Self, PatchError> {
        let form = match media_type {
            JSON => {
                let operations_max = limits.json_patch_operations_max;
                let operations = body.as_array().map_or(0, Vec::len);
                if operations > operations_max {
                    return Err(PatchError::TooMany(format!(
                        "Request entity too large: The allowed maximum operations in a JSON patch is {operations_max}, got {operations}"
                    )));
                }
                if has_unknown_operation(&body) {
                    return Err(PatchError::DoesNotFit(json::REJECTED.into()));
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
    pub(crate) fn apply(&self, kind: &Kind, mut object: Value, limits: &Limits) -> Result<Value, PatchError> {
        match &self.form {
            Form::Json(patch) => {
                json::apply(&mut object, patch, limits)?;
                Ok(object)
            }
            Form::Merge(patch) => {
                json_patch::merge(&mut object, patch);
                Ok(object)
            }
            Form::Strategic(patch) => strategic::merge(object, patch, schema::root(kind)),
        }
    }
}

/// Whether an operation is none that there is, which upstream finds when it comes to it.
fn has_unknown_operation(body: &Value) -> bool {
    const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];
    let operations = body.as_array().into_iter().flatten().filter_map(|operation| operation["op"].as_str());
    operations.into_iter().any(|operation| !OPERATIONS.contains(&operation))
}
