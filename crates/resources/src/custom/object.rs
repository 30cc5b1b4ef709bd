//! Objects of defined kinds.

use std::{any::Any, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::{kinds, number};
use crate::{
    DecodeError, Kind,
    kind::{Decoded, DecodedStrictly, read_strictly},
    meta::ObjectMeta,
    object::DynObject,
};

/// An object of a defined kind: metadata by its type, everything else as the tree it came as.
#[derive(Clone, Debug)]
pub struct CustomObject {
    kind: &'static Kind,
    metadata: ObjectMeta,
    /// All fields but `apiVersion`, `kind` and `metadata`.
    content: Map<String, Value>,
}

/// The field that a subresource may have for itself.
const STATUS: &str = "status";

impl CustomObject {
    /// An object with nothing but metadata.
    pub fn empty(kind: &'static Kind) -> Self {
        Self { kind, metadata: ObjectMeta::default(), content: Map::new() }
    }

    /// All fields but `apiVersion`, `kind` and `metadata`.
    pub fn content(&self) -> &Map<String, Value> {
        &self.content
    }

    /// The object with a value at the end of a path of fields; the fields on the way are made.
    pub fn with_value(&self, path: &[&str], value: Value) -> Self {
        let mut object = self.clone();
        let Some((last, way)) = path.split_last() else { return object };
        let mut fields = &mut object.content;
        for name in way {
            let field = fields.entry(*name).or_insert_with(|| json!({}));
            if !field.is_object() {
                *field = json!({});
            }
            let Value::Object(inner) = field else { return self.clone() };
            fields = inner;
        }
        fields.insert((*last).to_owned(), value);
        object
    }

    /// The value at a path as definitions write it, `.spec.replicas`.
    pub fn value_at(&self, path: &str) -> Option<&Value> {
        self.value(&path.split('.').skip(1).collect::<Vec<_>>())
    }

    /// The value at the end of a path of fields.
    pub fn value(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.content.get(*first)?, |value, name| value.get(name))
    }

    fn read(kind: &'static Kind, value: Value) -> Result<(Self, Vec<String>), DecodeError> {
        let Value::Object(mut content) = value else {
            return Err(DecodeError { message: "the object is not a JSON object".into() });
        };
        content.remove("apiVersion");
        content.remove("kind");
        let metadata = content.remove("metadata").filter(|metadata| !metadata.is_null());
        let metadata = without_nulls(metadata.unwrap_or_else(|| json!({})));
        let (metadata, unknown) = read_strictly("ObjectMeta", metadata)?;
        content.values_mut().for_each(number::whole_numbers);
        let unknown = unknown.into_iter().map(|path| format!("metadata.{path}")).collect();
        Ok((Self { kind, metadata, content }, unknown))
    }
}

fn without_nulls(mut metadata: Value) -> Value {
    crate::kind::strip_nulls(&mut metadata);
    metadata
}

impl Serialize for CustomObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("apiVersion", &self.kind.api_version())?;
        object.serialize_entry("kind", self.kind.kind)?;
        object.serialize_entry("metadata", &self.metadata)?;
        for (name, value) in &self.content {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl DynObject for CustomObject {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn with_metadata(mut self: Arc<Self>, metadata: ObjectMeta) -> Arc<dyn DynObject> {
        Arc::make_mut(&mut self).metadata = metadata;
        self
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a tree with string keys serializes")
    }

    fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a tree with string keys serializes")
    }
}

/// Reads what is stored, under whichever version it was.
pub(super) fn decode(hub: &'static Kind, json: &[u8]) -> Decoded {
    let value: Value =
        serde_json::from_slice(json).map_err(|error| DecodeError { message: error.to_string() })?;
    let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let kind = kinds::sibling(hub, version);
    CustomObject::read(kind, value).map(|(object, _)| Arc::new(object) as Arc<dyn DynObject>)
}

/// Reads what somebody has sent; the fields of metadata that there are not are told.
pub(super) fn decode_strict(kind: &'static Kind, value: Value) -> DecodedStrictly {
    CustomObject::read(kind, value).map(|(object, unknown)| (Arc::new(object) as Arc<dyn DynObject>, unknown))
}

/// The object as one of a defined kind.
fn as_custom(object: &dyn DynObject) -> Option<&CustomObject> {
    (object as &dyn Any).downcast_ref()
}

pub(super) fn same(one: &dyn DynObject, other: &dyn DynObject) -> bool {
    match (as_custom(one), as_custom(other)) {
        (Some(one), Some(other)) => {
            one.kind == other.kind && one.metadata == other.metadata && one.content == other.content
        }
        _ => false,
    }
}

/// The first object with the second one's status.
pub(super) fn with_status(object: Arc<dyn DynObject>, source: &dyn DynObject) -> Option<Arc<dyn DynObject>> {
    let status = as_custom(source)?.content.get(STATUS);
    let any: Arc<dyn Any + Send + Sync> = object;
    let mut object = any.downcast::<CustomObject>().ok()?;
    if object.content.get(STATUS) != status {
        let content = &mut Arc::make_mut(&mut object).content;
        match status {
            Some(status) => _ = content.insert(STATUS.to_owned(), status.clone()),
            None => _ = content.remove(STATUS),
        }
    }
    Some(object)
}

/// Whether two objects want the same, whose status is written by itself.
pub(super) fn same_but_status(one: &dyn DynObject, other: &dyn DynObject) -> bool {
    let (Some(one), Some(other)) = (as_custom(one), as_custom(other)) else { return false };
    let wanted = |object: &'static str| move |(name, _): &(&String, &Value)| name.as_str() != object;
    one.content.iter().filter(wanted(STATUS)).eq(other.content.iter().filter(wanted(STATUS)))
}

/// Whether two objects are the same but for their metadata.
pub(super) fn same_content(one: &dyn DynObject, other: &dyn DynObject) -> bool {
    matches!((as_custom(one), as_custom(other)), (Some(one), Some(other)) if one.content == other.content)
}
