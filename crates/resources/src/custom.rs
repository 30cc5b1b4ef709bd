//! Kinds that users define: CustomResourceDefinitions, what follows from one, and the objects of such kinds.
//!
//! ```text
//!   CustomResourceDefinition ─┬─► kinds ─► Kind, one for each version   (interned: a kind lives as long as the process)
//!                             ├─► Schema ─► prune, default, validate    (of objects as JSON trees)
//!                             └─► Ruled ──► rules in CEL
//!
//!   JSON ── Schema::complete ──► Kind::decode_strict ──► CustomObject: metadata by type, the rest a tree
//! ```
//!
//! Upstream: `apiextensions-apiserver`. What a schema says of lists and maps for patches and apply is not read here but
//! where the schemas of all kinds are.

mod complete;
mod definition;
mod format;
mod json_path;
mod kinds;
mod list;
mod names;
mod number;
mod object;
mod patterns;
mod prune;
pub(crate) mod rules;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod value;

pub use self::{
    complete::DefaultsTooLarge,
    definition::{CustomResourceDefinition, condition, is_true, set_condition},
    json_path::JsonPath,
    kinds::{Defined, KINDS_MAX, TooManyKinds, check_room, hub, is_built_in, kinds},
    names::{ESTABLISHED, NAMES_ACCEPTED, TERMINATING, settle},
    object::CustomObject,
    patterns::Patterns,
    rules::{BODY_BYTES_MAX, Outcome, Ruled},
    schema::Schema,
    validate::{known_faults, validate, validate_status},
};
pub(crate) use self::{format::is_format, validate::faults};

/// The types that a CustomResourceDefinition is made of.
pub use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as types;
