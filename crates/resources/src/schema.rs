//! The schemas of kinds, as OpenAPI v3 writes them: of types, from the types themselves; of how their lists and maps
//! are merged, from a table.
//!
//! ```text
//!   Kind::schema ─► schemars ─► definitions ─┐
//!                                            ├─► Definitions: published as OpenAPI, walked by patches and apply
//!   merging: which lists are maps or sets ───┘
//! ```

mod merging;

use schemars::{
    Schema, SchemaGenerator, generate::SchemaSettings, json_schema, transform::RecursiveTransform,
};
use serde_json::{Map, Value, json};

use crate::{Kind, meta::ObjectMeta};

/// Where a reference to a definition begins.
pub const REFERENCE: &str = "#/components/schemas/";

/// A list of objects is one map from these fields to the rest: merged item by item.
pub const LIST_MAP_KEYS: &str = "x-kubernetes-list-map-keys";
/// `map`, `set`, or `atomic`, which is what a list is that does not say.
pub const LIST_TYPE: &str = "x-kubernetes-list-type";
/// `granular`, which is what an object is that does not say, or `atomic`: replaced as a whole.
pub const MAP_TYPE: &str = "x-kubernetes-map-type";
/// What a strategic merge patch matches the items of a list by.
pub const PATCH_MERGE_KEY: &str = "x-kubernetes-patch-merge-key";
/// What a strategic merge patch does with a list or an object: `merge`, `retainKeys`, `replace`.
pub const PATCH_STRATEGY: &str = "x-kubernetes-patch-strategy";
/// Which kinds a definition is of.
pub const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";
/// A number or a string.
pub const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
/// Anything at all.
pub const PRESERVE_UNKNOWN_FIELDS: &str = "x-kubernetes-preserve-unknown-fields";

/// The group of CustomResourceDefinitions, whose package is not named after it.
const API_EXTENSIONS: &str = "apiextensions.k8s.io";

/// Definitions by name; they refer to each other by [`REFERENCE`] and a name.
pub type Definitions = Map<String, Value>;

/// The definitions of some kinds and of all that these are made of.
pub fn definitions<'a>(kinds: impl IntoIterator<Item = &'a Kind>) -> Definitions {
    let mut generator = generator();
    let mut roots = Vec::new();
    for kind in kinds {
        let _reference = (kind.schema)(&mut generator);
        roots.push((kind.definition_name(), kind));
    }
    let mut definitions = generator.take_definitions(true);
    for (name, kind) in roots {
        if let Some(Value::Object(definition)) = definitions.get_mut(&name) {
            let kinds = json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
            definition.insert(GROUP_VERSION_KIND.into(), kinds);
            // The types say so where they have no option for it; a name may be generated all the same.
            definition.remove("required");
        }
    }
    merging::extend(&mut definitions);
    definitions
}

/// The definition of objects' metadata, and a reference to it.
pub fn of_metadata() -> (Definitions, Value) {
    let mut generator = generator();
    let reference = generator.subschema_for::<ObjectMeta>().to_value();
    let mut definitions = generator.take_definitions(true);
    merging::extend(&mut definitions);
    (definitions, reference)
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.transforms = vec![Box::new(RecursiveTransform(as_kubernetes_writes))];
    });
    settings.into_generator()
}

impl Kind {
    /// The name of the kind's definition: `io.k8s.api.apps.v1.Deployment`, `dev.knative.serving.v1.Service`.
    pub fn definition_name(&self) -> String {
        definition_name(self.group, self.version, self.kind)
    }
}

/// A group's name backwards, the version, the kind; the built-in groups are the packages they are written in.
pub(crate) fn definition_name(group: &str, version: &str, kind: &str) -> String {
    if group == API_EXTENSIONS {
        return format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{kind}");
    }
    let built_in = group.strip_suffix(".k8s.io").or((!group.contains('.')).then_some(group));
    let package = match built_in {
        Some("") => "io.k8s.api.core".to_owned(),
        // `rbac.authorization.k8s.io` is the package `rbac`.
        Some(name) => format!("io.k8s.api.{}", name.split('.').next().unwrap_or(name)),
        None => group.rsplit('.').collect::<Vec<_>>().join("."),
    };
    format!("{package}.{version}.{kind}")
}

/// The schema of a kind with metadata, spec and status.
pub(crate) fn object(description: &str, metadata: Schema, spec: Schema, status: Schema) -> Schema {
    json_schema!({
        "description": description,
        "type": "object",
        "properties": {
            "apiVersion": {
                "description": "The group and version that this object is written in.",
                "type": "string",
            },
            "kind": { "description": "The kind of this object.", "type": "string" },
            "metadata": metadata,
            "spec": spec,
            "status": status,
        },
    })
}

/// Kubernetes leaves out what is not there instead of writing null, and gives `{}` where anything may be.
fn as_kubernetes_writes(schema: &mut Schema) {
    schema.remove("nullable");
    schema.remove("title");
    schema.remove("default");
    if let Some(Value::Array(types)) = schema.get("type").cloned() {
        let kept = types.into_iter().find(|kept| *kept != "null");
        schema.insert("type".into(), kept.unwrap_or_default());
    }
    if schema.as_bool() == Some(true) {
        *schema = json_schema!({});
    }
    // What is referred to needs a place beside it for a description of its own.
    if let (Some(Value::String(reference)), true) =
        (schema.get("$ref"), schema.as_object().is_some_and(|o| o.len() > 1))
    {
        let reference = json!([{"$ref": reference}]);
        schema.remove("$ref");
        schema.insert("allOf".into(), reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_definitions() {
        let cases = [
            ("", "v1", "Pod", "io.k8s.api.core.v1.Pod"),
            ("apps", "v1", "Deployment", "io.k8s.api.apps.v1.Deployment"),
            ("discovery.k8s.io", "v1", "EndpointSlice", "io.k8s.api.discovery.v1.EndpointSlice"),
            ("rbac.authorization.k8s.io", "v1", "Role", "io.k8s.api.rbac.v1.Role"),
            ("serving.knative.dev", "v1", "Service", "dev.knative.serving.v1.Service"),
        ];
        for (group, version, kind, name) in cases {
            assert_eq!(definition_name(group, version, kind), name);
        }
    }

    #[test]
    fn every_kind_is_defined_and_every_reference_leads_somewhere() {
        let definitions = definitions(crate::kinds::listed());
        for kind in crate::kinds::listed() {
            let definition = &definitions[&kind.definition_name()];
            assert_eq!(definition[GROUP_VERSION_KIND][0]["kind"], kind.kind, "{kind:?}");
            assert!(definition["properties"]["metadata"].is_object(), "{kind:?}");
        }
        let text = serde_json::to_string(&definitions).unwrap();
        for reference in text.split("\"$ref\":\"").skip(1) {
            let name = reference.split('"').next().unwrap();
            let name = name.strip_prefix(REFERENCE).unwrap_or_else(|| panic!("{name}"));
            assert!(definitions.contains_key(name), "{name}");
        }
    }
}
