//! CustomResourceDefinition.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
};

use k8s_openapi::{Metadata, Resource, apiextensions_apiserver::pkg::apis::apiextensions::v1 as upstream};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use upstream::CustomResourceDefinitionCondition as Condition;

use crate::meta::{ObjectMeta, Time};

/// A kind that a user defines (upstream: `apiextensions.k8s.io/v1`).
///
/// Written as its users wrote it: the bounds of a schema are floating-point numbers by type, but 1 stays 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomResourceDefinition(pub upstream::CustomResourceDefinition);

/// The fields of a schema that are numbers of any kind.
const BOUNDS: [&str; 3] = ["maximum", "minimum", "multipleOf"];

impl Deref for CustomResourceDefinition {
    type Target = upstream::CustomResourceDefinition;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for CustomResourceDefinition {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Resource for CustomResourceDefinition {
    const API_VERSION: &'static str = upstream::CustomResourceDefinition::API_VERSION;
    const GROUP: &'static str = upstream::CustomResourceDefinition::GROUP;
    const KIND: &'static str = upstream::CustomResourceDefinition::KIND;
    const VERSION: &'static str = upstream::CustomResourceDefinition::VERSION;
    const URL_PATH_SEGMENT: &'static str = upstream::CustomResourceDefinition::URL_PATH_SEGMENT;
    type Scope = k8s_openapi::ClusterResourceScope;
}

impl Metadata for CustomResourceDefinition {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.0.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
}

impl<'de> Deserialize<'de> for CustomResourceDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        upstream::CustomResourceDefinition::deserialize(deserializer).map(Self)
    }
}

impl Serialize for CustomResourceDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        whole_bounds(&mut value);
        value.serialize(serializer)
    }
}

impl JsonSchema for CustomResourceDefinition {
    fn schema_name() -> Cow<'static, str> {
        upstream::CustomResourceDefinition::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        upstream::CustomResourceDefinition::json_schema(generator)
    }
}

fn whole_bounds(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Number(number) if BOUNDS.contains(&name.as_str()) => {
                        if let Some(whole) = super::number::whole(number) {
                            *number = whole.into();
                        }
                    }
                    field => whole_bounds(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_bounds),
        _ => {}
    }
}

/// The condition of this type.
pub fn condition<'a>(crd: &'a CustomResourceDefinition, type_: &str) -> Option<&'a Condition> {
    crd.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == type_)
}

/// Whether there is a condition of this type and it is `True`.
pub fn is_true(crd: &CustomResourceDefinition, type_: &str) -> bool {
    condition(crd, type_).is_some_and(|condition| condition.status == "True")
}

/// Sets a condition; the time of its last transition is kept where only its words change.
pub fn set_condition(
    crd: &mut CustomResourceDefinition,
    type_: &str,
    status: bool,
    reason: &str,
    message: &str,
    now: &Time,
) {
    let status = if status { "True" } else { "False" };
    let since = condition(crd, type_)
        .filter(|condition| condition.status == status)
        .and_then(|condition| condition.last_transition_time.clone());
    let wanted = Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(since.unwrap_or_else(|| now.clone())),
    };
    let conditions = crd.status.get_or_insert_default().conditions.get_or_insert_default();
    match conditions.iter_mut().find(|condition| condition.type_ == type_) {
        Some(condition) => *condition = wanted,
        None => conditions.push(wanted),
    }
}
