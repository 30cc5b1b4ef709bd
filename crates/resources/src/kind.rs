//! A kind at run time: its names, and how its objects are read from JSON.

mod decode;
mod form;
mod tree;

use std::{fmt, sync::Arc};

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

pub use self::decode::DecodeError;

pub(crate) use self::{
    decode::{Decoded, DecodedStrictly, decode, decode_strict, read_strictly, strip_nulls},
    form::Form,
};
use crate::{custom::Defined, object::DynObject};

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
    pub(crate) decode: fn(&'static Kind, &[u8]) -> Decoded,
    pub(crate) decode_strict: fn(&'static Kind, Value) -> DecodedStrictly,
    /// What a CustomResourceDefinition says of it; `None` for a kind that Ebb has a type of.
    pub(crate) defined: Option<Defined>,
    /// Which kind it is another form of; `None` for a kind that has objects of its own.
    pub(crate) form: Option<Form>,
}

/// The subresources of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subresources {
    /// `/status`: spec writes leave the status alone and the other way round.
    pub status: bool,
    /// `/scale`: the replica count by itself.
    pub scale: bool,
}

/// Where objects of a defined kind have their replica counts, as `.spec.replicas`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// How many are wanted.
    pub spec_replicas: String,
    /// How many there are.
    pub status_replicas: String,
    /// The text of the selector, where there is one.
    pub label_selector: Option<String>,
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

    /// Whether the kind is part of Kubernetes itself; the others are custom resources upstream, which its API server
    /// treats in ways of their own.
    pub fn is_builtin(&self) -> bool {
        !self.is_defined() && !self.group.ends_with("knative.dev")
    }

    /// Whether a CustomResourceDefinition that is stored defines it, and not Ebb itself.
    pub fn is_defined(&self) -> bool {
        self.defined.is_some()
    }

    /// The kind under which all versions, all definitions and all forms of one resource are kept: itself, unless it is
    /// defined or a form.
    pub fn hub(&'static self) -> &'static Self {
        self.defined.as_ref().and_then(|defined| defined.hub).unwrap_or_else(|| self.original())
    }

    /// The fields, beside name and namespace, that its definition lets select by: `spec.color`.
    pub fn selectable_fields(&self) -> &'static [&'static str] {
        self.defined.as_ref().map_or(&[], |defined| defined.selectable)
    }

    /// Where its definition says that an object has its replica counts.
    pub fn scale_paths(&self) -> Option<&'static ScalePaths> {
        self.defined.as_ref().and_then(|defined| defined.scale)
    }

    /// The kind of a list of these objects.
    pub fn list_kind(&self) -> String {
        self.defined
            .as_ref()
            .map_or_else(|| format!("{}List", self.kind), |defined| defined.list_kind.to_owned())
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
    pub fn decode(&'static self, json: &[u8]) -> Result<Arc<dyn DynObject>, DecodeError> {
        (self.decode)(self, json)
    }

    /// Reads an object from a JSON tree; fields the kind does not have are dropped, nulls count as absent.
    pub fn decode_value(&'static self, value: Value) -> Result<Arc<dyn DynObject>, DecodeError> {
        self.decode_strict(value).map(|(object, _)| object)
    }

    /// As [`Kind::decode_value`], and names the fields the kind does not have, as `spec.containers[0].imagee`.
    pub fn decode_strict(
        &'static self,
        mut value: Value,
    ) -> Result<(Arc<dyn DynObject>, Vec<String>), DecodeError> {
        // What null means for a field of a custom resource, its schema says.
        if !self.is_defined() {
            strip_nulls(&mut value);
        }
        (self.decode_strict)(self, value)
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
