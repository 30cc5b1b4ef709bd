//! JSON as the server sends it, as typed objects without `managedFields`.
//!
//! Managed fields say who wrote which field. Nobody here asks, and they are half of a typed object's memory and of the
//! time to read it, so they are cut out of the text before it is read.

use std::sync::Arc;

use bytes::Bytes;
use resources::{DynObject, Kind, ObjectKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::Status;
use crate::ChangeKind;

/// One page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Arc<dyn DynObject>>,
    /// Objects that are there but do not fit our types.
    pub(super) unreadable: Vec<ObjectKey>,
    pub(super) version: u64,
    pub(super) next: Option<String>,
}

/// One line of a watch.
#[derive(Debug)]
pub(super) enum Line {
    Change(ChangeKind, Arc<dyn DynObject>),
    /// Everything up to this version has been told.
    Bookmark(u64),
    /// The watch cannot go on.
    Failed(Status),
}

/// Text that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata<'a> {
    name: String,
    namespace: String,
    resource_version: String,
    r#continue: Option<String>,
    #[serde(borrow)]
    managed_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// The version of an object that came through [`object`].
pub(super) fn version(object: &dyn DynObject) -> u64 {
    object.metadata().resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// Reads one object.
pub(super) fn object(kind: &'static Kind, text: &str) -> Result<Arc<dyn DynObject>, Unreadable> {
    let metadata = metadata(text)?;
    number(metadata.resource_version.as_str())?;
    let cut = metadata.managed_fields.map(|managed| without(text, managed.get()));
    let text = cut.as_deref().unwrap_or(text);
    // Most objects hold no null where a type has no place for one, and the short way costs half.
    kind.decode(text.as_bytes())
        .or_else(|_| kind.decode_value(serde_json::from_str(text).unwrap_or_default()))
        .map_err(|error| Unreadable(format!("{kind:?} {}/{}: {error}", metadata.namespace, metadata.name)))
}

/// Reads a page of a list.
pub(super) fn page(kind: &'static Kind, body: &Bytes) -> Result<Page, Unreadable> {
    let list: List<'_> =
        serde_json::from_slice(body).map_err(|error| Unreadable(format!("a list of {kind:?}: {error}")))?;
    let mut items = Vec::new();
    let mut unreadable = Vec::new();
    for item in list.items.unwrap_or_default() {
        match object(kind, item.get()) {
            Ok(object) => items.push(object),
            Err(error) => {
                tracing::warn!(%error, "an object does not fit its kind and is left out");
                let metadata = metadata(item.get())?;
                unreadable.push(ObjectKey::new(metadata.namespace, metadata.name));
            }
        }
    }
    let version = number(&list.metadata.resource_version)?;
    Ok(Page { items, unreadable, version, next: list.metadata.r#continue.filter(|token| !token.is_empty()) })
}

/// Reads a line of a watch.
pub(super) fn line(kind: &'static Kind, line: &Bytes) -> Result<Line, Unreadable> {
    let event: Event<'_> =
        serde_json::from_slice(line).map_err(|error| Unreadable(format!("a line of a watch: {error}")))?;
    let text = event.object.get();
    let change = match event.r#type.as_str() {
        "ADDED" => ChangeKind::Added,
        "MODIFIED" => ChangeKind::Modified,
        "DELETED" => ChangeKind::Deleted,
        "BOOKMARK" => return Ok(Line::Bookmark(number(&metadata(text)?.resource_version)?)),
        "ERROR" => return Ok(Line::Failed(Status::read(500, text.as_bytes()))),
        other => return Err(Unreadable(format!("a watch told {other:?}"))),
    };
    Ok(Line::Change(change, object(kind, text)?))
}

fn metadata(text: &str) -> Result<Metadata<'_>, Unreadable> {
    let unreadable = |error: serde_json::Error| Unreadable(format!("metadata: {error}"));
    let head: Head<'_> = serde_json::from_str(text).map_err(unreadable)?;
    head.metadata
        .map_or(Ok(Metadata::default()), |metadata| serde_json::from_str(metadata.get()).map_err(unreadable))
}

fn number(version: &str) -> Result<u64, Unreadable> {
    version
        .parse()
        .map_err(|_| Unreadable(format!("{version:?} is no resource version that can be put in order")))
}

/// The text with `null` in place of `part`, which is a part of it.
fn without(text: &str, part: &str) -> String {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    [&text[..start], "null", &text[start + part.len()..]].concat()
}

#[cfg(test)]
mod tests;
