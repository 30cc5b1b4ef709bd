//! What every API object has in common, with and without its type at hand.

mod written;

use std::{any::Any, fmt, sync::Arc};

use k8s_openapi::{Metadata, Resource};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{kind::Kind, meta::ObjectMeta};

/// An API object whose type is known: a core kind of `k8s-openapi` or one of Knative's.
///
/// Serializes with its `apiVersion` and `kind`.
pub trait Object:
    Resource
    + Metadata<Ty = ObjectMeta>
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Clone
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// The kind's entry in the registry.
    fn kind() -> &'static Kind;

    /// The object's key.
    fn key(&self) -> ObjectKey {
        ObjectKey::of(self.metadata())
    }

    /// The object's name; empty only before the API server has given it one.
    fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// The object's namespace; empty for cluster-scoped kinds.
    fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }

    /// The object's uid; empty only before the API server has given it one.
    fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    /// The value of a label.
    fn label(&self, key: &str) -> Option<&str> {
        self.metadata().labels.as_ref()?.get(key).map(String::as_str)
    }

    /// The value of an annotation.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata().annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// `metadata.generation`, 0 when unset.
    fn generation(&self) -> i64 {
        self.metadata().generation.unwrap_or_default()
    }

    /// Whether deletion has been asked for.
    fn is_deleting(&self) -> bool {
        self.metadata().deletion_timestamp.is_some()
    }
}

/// An API object whose type is known only at run time; what stores and watches hold.
pub trait DynObject: Any + Send + Sync {
    /// The kind's entry in the registry.
    fn kind(&self) -> &'static Kind;
    /// The object's metadata.
    fn metadata(&self) -> &ObjectMeta;
    /// The object with other metadata; everything else is kept. Copied only if somebody else holds it too.
    fn with_metadata(self: Arc<Self>, metadata: ObjectMeta) -> Arc<dyn DynObject>;
    /// The object as JSON text.
    fn to_json(&self) -> Vec<u8>;
    /// The object as a JSON tree.
    fn to_value(&self) -> serde_json::Value;
}

impl<K: Object> DynObject for K {
    fn kind(&self) -> &'static Kind {
        K::kind()
    }

    fn metadata(&self) -> &ObjectMeta {
        Metadata::metadata(self)
    }

    fn with_metadata(mut self: Arc<Self>, metadata: ObjectMeta) -> Arc<dyn DynObject> {
        *Arc::make_mut(&mut self).metadata_mut() = metadata;
        self
    }

    fn to_json(&self) -> Vec<u8> {
        // An API object has string keys and no failing serializer, so this cannot fail.
        written::to_json(self).expect("an API object serializes")
    }

    fn to_value(&self) -> serde_json::Value {
        // By way of text: a second serializer would be compiled for every field of every kind.
        serde_json::from_slice(&self.to_json()).expect("what was just serialized is JSON")
    }
}

impl fmt::Debug for dyn DynObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().kind, ObjectKey::of(self.metadata()))
    }
}

/// The object as its type, without copying it; `None` when it is of another kind.
pub fn downcast<K: Object>(object: Arc<dyn DynObject>) -> Option<Arc<K>> {
    let any: Arc<dyn Any + Send + Sync> = object;
    any.downcast::<K>().ok()
}

/// Names one object of a kind. Orders by namespace, then name: the order of lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

impl ObjectKey {
    /// The key of a namespaced object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of a cluster-scoped object.
    pub fn cluster(name: impl Into<String>) -> Self {
        Self::new("", name)
    }

    /// The key that metadata names.
    pub fn of(metadata: &ObjectMeta) -> Self {
        Self::new(
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        )
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
