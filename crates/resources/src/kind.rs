//! A kind at run time: its names, and how its objects are read from JSON.

mod decode;
mod tree;

use std::{fmt, sync::Arc};

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

pub use self::decode::DecodeError;
use self::decode::strip_nulls;
pub(crate) use self::decode::{Decoded, DecodedStrictly, decode, decode_strict};
use crate::object::DynObject;

type WithStatus = fn(Arc<dyn DynObject>, &dyn DynObject) -> Option<Arc<dyn DynObject>>;

/// One kind of one API version, as discovery shows it.
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The API version, `v1`.
    pub version: &'static str,
    /// The kind in CamelCase, `PodAutoscaler`.
    pub kind: &'static str,
    /// The name in URLs, `podautoscalers`.
    pub plural: &'static str,
    /// The name in the singular, `podautoscaler`.
    pub singular: &'static str,
    /// What `kubectl` takes in place of the name, `kpa`.
    pub short_names: &'static [&'static str],
    /// The groups of kinds that `kubectl get all` and the like ask for.
    pub categories: &'static [&'static str],
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// What can be written apart from the object itself.
    pub subresources: Subresources,
    /// Whether losing the newest writes of this kind in a crash is harmless, since controllers derive them again.
    pub derived: bool,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) parts: Option<Parts>,
    pub(crate) same: fn(&dyn DynObject, &dyn DynObject) -> bool,
    pub(crate) decode: fn(&[u8]) -> Decoded,
    pub(crate) decode_strict: fn(Value) -> DecodedStrictly,
}

/// The subresources of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subresources {
    /// `/status`: spec writes leave the status alone and the other way round.
    pub status: bool,
    /// `/scale`: the replica count by itself.
    pub scale: bool,
}

/// How an object with a spec and a status comes apart.
pub(crate) struct Parts {
    /// The first object with the second one's status.
    pub(crate) with_status: WithStatus,
    /// Whether two objects want the same.
    pub(crate) same_spec: fn(&dyn DynObject, &dyn DynObject) -> bool,
}

impl Kind {
    /// `group/version`, or the version alone for the core group: the `apiVersion` of objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether the kind is part of Kubernetes itself; the others are custom resources upstream.
    pub fn is_builtin(&self) -> bool {
        !self.group.ends_with("knative.dev")
    }

    /// The kind of a list of these objects.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// `plural.group`, as errors name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `object` with the status of `source`, copied only if somebody else holds it too; `None` for a kind without a
    /// status of its own.
    pub fn with_status(
        &self,
        object: Arc<dyn DynObject>,
        source: &dyn DynObject,
    ) -> Option<Arc<dyn DynObject>> {
        self.parts.as_ref().and_then(|parts| (parts.with_status)(object, source))
    }

    /// Whether two objects have the same spec; `None` for a kind without one, whose generation never moves.
    pub fn same_spec(&self, one: &dyn DynObject, other: &dyn DynObject) -> Option<bool> {
        self.parts.as_ref().map(|parts| (parts.same_spec)(one, other))
    }

    /// Whether two objects of the kind are the same to the last field.
    pub fn same(&self, one: &dyn DynObject, other: &dyn DynObject) -> bool {
        (self.same)(one, other)
    }

    /// Reads an object that Ebb itself has written.
    pub fn decode(&self, json: &[u8]) -> Result<Arc<dyn DynObject>, DecodeError> {
        (self.decode)(json)
    }

    /// Reads an object from a JSON tree; fields the kind does not have are dropped, nulls count as absent.
    pub fn decode_value(&self, value: Value) -> Result<Arc<dyn DynObject>, DecodeError> {
        self.decode_strict(value).map(|(object, _)| object)
    }

    /// As [`Kind::decode_value`], and names the fields the kind does not have, as `spec.containers[0].imagee`.
    pub fn decode_strict(&self, mut value: Value) -> Result<(Arc<dyn DynObject>, Vec<String>), DecodeError> {
        strip_nulls(&mut value);
        (self.decode_strict)(value)
    }
}

/// Kinds are few and static, so two are the same when they are one entry.
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Kind {}

impl std::hash::Hash for Kind {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}
