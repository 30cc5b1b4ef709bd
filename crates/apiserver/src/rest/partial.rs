//! Objects of which only the metadata is wanted (upstream: `meta.k8s.io/v1`, PartialObjectMetadata).

use objects::Error;
use resources::Kind;
use serde_json::{Value, json};

use crate::{status::Failure, store::Stored};

/// One object's metadata; `list` where the client asked for a list of them.
pub(super) fn of_object(stored: &Stored, list: bool) -> Result<Value, Failure> {
    if list {
        return Err(Failure::not_acceptable(format!(
            "you requested PartialObjectMetadataList, but the requested object is not a list ({})",
            type_name(stored.kind, "")
        )));
    }
    Ok(item(stored)?)
}

/// As [`of_object`], of many: the list without its items. `metadata` is the list's.
pub(super) fn head(kind: &Kind, metadata: &Value, list: bool) -> Result<Value, Failure> {
    if !list {
        return Err(Failure::not_acceptable(format!(
            "you requested PartialObjectMetadata, but the requested object is a list ({})",
            type_name(kind, "List")
        )));
    }
    Ok(json!({
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    }))
}

/// An object's metadata: by itself, in a list, in a watch.
pub(super) fn item(stored: &Stored) -> Result<Value, Error> {
    let metadata = serde_json::to_value(stored.object()?.metadata())
        .map_err(|error| Error::Internal(format!("metadata cannot be written: {error}")))?;
    Ok(around(metadata))
}

/// The bookmark of a watch of metadata.
pub(super) fn around(metadata: Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// A type as upstream's errors call it: `*core.ConfigMap`.
fn type_name(kind: &Kind, suffix: &str) -> String {
    let kind = kind.original();
    let group = kind.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
    format!("*{group}.{}{suffix}", kind.kind)
}
