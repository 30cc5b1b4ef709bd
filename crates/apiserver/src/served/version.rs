//! What a definition says of one version of its kind: its schema, its columns, its documents.

use std::sync::OnceLock;

use resources::{
    Kind,
    custom::{Patterns, Ruled, Schema, types},
    schema::GROUP_VERSION_KIND,
};
use serde_json::{Map, Value, json};

use super::columns;
use crate::{schema::Shapes, table::Column};

/// What a definition says of one version.
pub(crate) struct Version {
    pub(crate) kind: &'static Kind,
    pub(crate) schema: Schema,
    /// `None` where there are no rules.
    pub(crate) rules: Option<Ruled>,
    pub(crate) columns: Vec<Column>,
    /// What clients are warned of, where the version is deprecated.
    pub(crate) deprecation: Option<String>,
    /// The schema as JSON text, for OpenAPI.
    text: Box<[u8]>,
    shapes: OnceLock<Shapes>,
}

impl Version {
    /// `crd`: the definition as a tree; `instead`: the version that is to be used in place of a deprecated one;
    /// `patterns`: those of the definition.
    pub(super) fn new(
        kind: &'static Kind,
        version: &types::CustomResourceDefinitionVersion,
        crd: &Value,
        instead: Option<&str>,
        patterns: &mut Patterns,
    ) -> Self {
        let props = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        let tree = crd["spec"]["versions"].as_array().into_iter().flatten();
        let tree = tree.filter(|tree| tree["name"] == version.name.as_str());
        let tree = tree.map(|tree| &tree["schema"]["openAPIV3Schema"]).next();
        let deprecation = version.deprecated.filter(|deprecated| *deprecated).map(|_| {
            let own = version.deprecation_warning.clone();
            own.unwrap_or_else(|| {
                let instead = instead.map(|version| format!("; use {}/{version} {}", kind.group, kind.kind));
                format!("{} {} is deprecated{}", kind.api_version(), kind.kind, instead.unwrap_or_default())
            })
        });
        Self {
            kind,
            schema: props.map(|props| Schema::new(props, patterns)).unwrap_or_default(),
            rules: props.and_then(|props| Ruled::new(props, patterns)),
            columns: columns::of(version.additional_printer_columns.as_deref()),
            deprecation,
            text: tree.map(Value::to_string).unwrap_or_default().into_bytes().into(),
            shapes: OnceLock::new(),
        }
    }

    /// The kind's definition in OpenAPI, and those that it refers to.
    pub(crate) fn documents(&self) -> Map<String, Value> {
        let (mut documents, metadata) = resources::schema::of_metadata();
        let mut own: Value = serde_json::from_slice(&self.text).unwrap_or_else(|_| json!({}));
        complete_embedded(&mut own, &metadata);
        if let Value::Object(own) = &mut own {
            of_every_object(own, &metadata);
            let Kind { group, version, kind, .. } = self.kind;
            own.insert(
                GROUP_VERSION_KIND.into(),
                json!([{"group": group, "version": version, "kind": kind}]),
            );
        }
        documents.insert(self.kind.definition_name(), own);
        documents
    }

    /// The shapes of the kind's fields, worked out when they are first asked for.
    pub(crate) fn shapes(&self) -> &Shapes {
        self.shapes.get_or_init(|| Shapes::of(&self.documents()))
    }
}

/// Adds what every object has to an object's schema.
fn of_every_object(schema: &mut Map<String, Value>, metadata: &Value) {
    schema.insert("type".into(), "object".into());
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if !properties.is_object() {
        *properties = json!({});
    }
    properties["apiVersion"] =
        json!({"description": "The group and version that this object is written in.", "type": "string"});
    properties["kind"] = json!({"description": "The kind of this object.", "type": "string"});
    properties["metadata"] = json!({
        "description": "Name, labels, owners, versions.",
        "allOf": [metadata],
    });
}

/// Adds what every object has wherever a schema says that there is one. Values that a schema gives, as examples or defaults,
/// are no schemas, whatever they look like.
fn complete_embedded(schema: &mut Value, metadata: &Value) {
    let Value::Object(fields) = schema else { return };
    for (keyword, value) in fields.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| complete_embedded(schema, metadata));
            }
            ("items" | "additionalProperties" | "additionalItems" | "not", schema @ Value::Object(_)) => {
                complete_embedded(schema, metadata);
            }
            ("items" | "allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| complete_embedded(schema, metadata));
            }
            _ => {}
        }
    }
    if fields.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true)) {
        of_every_object(fields, metadata);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An example or default may look like a schema, and is none.
    #[test]
    fn only_schemas_are_completed() {
        let lookalike = json!({"x-kubernetes-embedded-resource": true, "properties": 7, "type": "object"});
        let embedded = json!({"type": "object", "x-kubernetes-embedded-resource": true});
        let mut schema = json!({
            "example": lookalike, "default": lookalike, "enum": [lookalike],
            "properties": {"example": embedded, "list": {"items": embedded}, "any": {"anyOf": [embedded]}},
            "additionalProperties": embedded,
        });
        complete_embedded(&mut schema, &json!({"$ref": "m"}));
        for kept in ["/example", "/default", "/enum/0"] {
            assert_eq!(schema.pointer(kept), Some(&lookalike), "{kept}");
        }
        let completed = [
            "/properties/example",
            "/properties/list/items",
            "/properties/any/anyOf/0",
            "/additionalProperties",
        ];
        for place in completed {
            let metadata = schema.pointer(&format!("{place}/properties/metadata/allOf/0/$ref"));
            assert_eq!(metadata, Some(&json!("m")), "{place}");
        }
    }
}
