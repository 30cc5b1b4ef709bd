//! What a schema says in Kubernetes' own words: lists that are sets or maps, fields that are kept (upstream:
//! apiextensions-apiserver, `ValidateCustomResourceDefinitionOpenAPISchema`).

use crate::{
    admission::{FieldError, path::Path},
    custom::types::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool},
};

/// How a schema is reached from the one that it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Field(&'static str),
    Key(&'static str, &'a str),
    Index(&'static str, usize),
}

/// Calls `look` with the path of a child.
pub(super) fn at<'a, R>(path: &Path<'a>, step: Step<'_>, look: impl FnOnce(&Path<'_>) -> R) -> R {
    match step {
        Step::Field(field) => look(&path.child(field)),
        Step::Key(field, key) => look(&path.child(field).key(key)),
        Step::Index(field, index) => look(&path.child(field).index(index)),
    }
}

/// The schemas of a schema's parts, and those that it is made of.
pub(super) fn children(schema: &JSONSchemaProps) -> impl Iterator<Item = (Step<'_>, &JSONSchemaProps)> {
    parts(schema).chain(alternatives(schema))
}

/// The schemas of a schema's fields and items.
pub(super) fn parts(schema: &JSONSchemaProps) -> impl Iterator<Item = (Step<'_>, &JSONSchemaProps)> {
    let fields = schema.properties.iter().flatten();
    let fields = fields.map(|(name, schema)| (Step::Key("properties", name), schema));
    let others = match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(schema)) => Some((Step::Field("additionalProperties"), &**schema)),
        _ => None,
    };
    let items = match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(schema)) => Some((Step::Field("items"), &**schema)),
        _ => None,
    };
    others.into_iter().chain(fields).chain(items)
}

/// The schemas that a schema is made of by logic.
pub(super) fn alternatives(schema: &JSONSchemaProps) -> impl Iterator<Item = (Step<'_>, &JSONSchemaProps)> {
    let all = [("allOf", &schema.all_of), ("anyOf", &schema.any_of), ("oneOf", &schema.one_of)];
    let all = all.into_iter().flat_map(|(field, schemas)| {
        schemas.iter().flatten().enumerate().map(move |(at, schema)| (Step::Index(field, at), schema))
    });
    all.chain(schema.not.as_deref().map(|schema| (Step::Field("not"), schema)))
}

pub(super) fn check(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    forbidden(schema, path, errors);
    if schema.unique_items == Some(true) {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.push(FieldError::forbidden(&path.child("uniqueItems"), why));
    }
    let named = schema.properties.as_ref().is_some_and(|properties| !properties.is_empty());
    let open = !matches!(schema.additional_properties, None | Some(JSONSchemaPropsOrBool::Bool(true)));
    if named && open {
        let why = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(&path.child("additionalProperties"), why));
    }
    if schema.x_kubernetes_preserve_unknown_fields == Some(false) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(&at, false, "must be true or undefined"));
    }
    check_map_type(schema, path, errors);
    check_list_type(schema, path, errors);
    super::rules::check_form(schema, path, errors);
    for (step, child) in children(schema) {
        at(path, step, |path| check(child, path, errors));
    }
}

/// What JSON Schema has and structural schemas have not.
fn forbidden(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut forbid = |field: &'static str, there: bool, why: &str| {
        if there {
            errors.push(FieldError::forbidden(&path.child(field), why));
        }
    };
    forbid("definitions", schema.definitions.is_some(), "definitions is not supported");
    forbid("dependencies", schema.dependencies.is_some(), "dependencies is not supported");
    forbid("id", schema.id.is_some(), "id is not supported");
    forbid("additionalItems", schema.additional_items.is_some(), "additionalItems is not supported");
    let patterns = schema.pattern_properties.as_ref().is_some_and(|patterns| !patterns.is_empty());
    forbid("patternProperties", patterns, "patternProperties is not supported");
    forbid("$ref", schema.ref_path.is_some(), "$ref is not supported");
    if schema.type_.as_deref() == Some("null") {
        let why = "type cannot be set to null, use nullable as an alternative";
        errors.push(FieldError::forbidden(&path.child("type"), why));
    }
    if let Some(JSONSchemaPropsOrArray::Schemas(_)) = &schema.items {
        let why = "items must be a schema object and not an array";
        errors.push(FieldError::forbidden(&path.child("items"), why));
    }
    const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
    let unknown =
        schema.type_.as_deref().filter(|name| !name.is_empty() && *name != "null" && !TYPES.contains(name));
    if let Some(name) = unknown {
        errors.push(FieldError::not_supported(&path.child("type"), name, &TYPES));
    }
}

fn check_map_type(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let Some(map_type) = schema.x_kubernetes_map_type.as_deref() else { return };
    must_be(schema, "object", "must be object if x-kubernetes-map-type is specified", path, errors);
    let at = path.child("x-kubernetes-map-type");
    crate::admission::builtin::check_one_of(Some(map_type), &["atomic", "granular"], &at, errors);
}

/// The schema is one of a type.
fn must_be(schema: &JSONSchemaProps, name: &str, why: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    match schema.type_.as_deref().unwrap_or_default() {
        "" => errors.push(FieldError::required(&path.child("type"), why)),
        found if found != name => errors.push(FieldError::invalid(&path.child("type"), found, why)),
        _ => {}
    }
}

fn check_list_type(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("x-kubernetes-list-type");
    let keys = schema.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
    let Some(list_type) = schema.x_kubernetes_list_type.as_deref() else {
        if !keys.is_empty() {
            errors.push(FieldError::required(&at, "must be map if x-kubernetes-list-map-keys is non-empty"));
        }
        return;
    };
    must_be(schema, "array", "must be array if x-kubernetes-list-type is specified", path, errors);
    crate::admission::builtin::check_one_of(Some(list_type), &["atomic", "set", "map"], &at, errors);
    let items = match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(&**items),
        _ => None,
    };
    if !keys.is_empty() && list_type != "map" {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(FieldError::invalid(&at, list_type, why));
    }
    let at_items = path.child("items");
    if let Some(items) = items.filter(|_| list_type == "set") {
        check_set(items, &at_items, errors);
    }
    if list_type == "map" {
        if keys.is_empty() {
            let why = "must not be empty if x-kubernetes-list-type is map";
            errors.push(FieldError::required(&path.child("x-kubernetes-list-map-keys"), why));
        }
        match items {
            None => {
                let why = "must have a schema if x-kubernetes-list-type is map";
                errors.push(FieldError::required(&at_items, why));
            }
            Some(items) => check_keys(items, keys, path, errors),
        }
    }
    if items.is_some_and(|items| items.nullable == Some(true)) && list_type != "atomic" {
        let why = "cannot be nullable when x-kubernetes-list-type is map or set";
        errors.push(FieldError::forbidden(&at_items.child("nullable"), why.replace("map or set", list_type)));
    }
}

/// The items of a set are compared as wholes.
fn check_set(items: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    match items.type_.as_deref() {
        Some("array") => {
            if let Some(inner) = items.x_kubernetes_list_type.as_deref().filter(|inner| *inner != "atomic") {
                errors.push(FieldError::invalid(&path.child("x-kubernetes-list-type"), inner, why));
            }
        }
        Some("object") if items.x_kubernetes_map_type.as_deref() != Some("atomic") => {
            let shown = items.x_kubernetes_list_type.as_deref();
            errors.push(FieldError::invalid(&path.child("x-kubernetes-map-type"), shown, why));
        }
        _ => {}
    }
}

/// The items of a list that is a map have the fields that are its keys.
fn check_keys(items: &JSONSchemaProps, keys: &[String], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at_items = path.child("items");
    let type_ = items.type_.as_deref().unwrap_or_default();
    if type_ != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        return errors.push(FieldError::invalid(&at_items.child("type"), type_, why));
    }
    let required = items.required.as_deref().unwrap_or_default();
    for (at, key) in keys.iter().enumerate() {
        let properties = at_items.child("properties");
        let property = properties.key(key);
        let Some(schema) = items.properties.as_ref().and_then(|properties| properties.get(key)) else {
            let at_keys = path.child("x-kubernetes-list-map-keys");
            let why = "entries must all be names of item properties";
            errors.push(FieldError::invalid(&at_keys, keys, why));
            continue;
        };
        if matches!(schema.type_.as_deref(), Some("array" | "object")) {
            let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(&property.child("type"), schema.type_.as_deref(), why));
        }
        if schema.nullable == Some(true) {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(&property.child("nullable"), why));
        }
        if schema.default.is_none() && !required.contains(key) {
            let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(&property.child("default"), why));
        }
        if keys[..at].contains(key) {
            errors.push(FieldError::duplicate(&path.child("x-kubernetes-list-map-keys").index(at), key));
        }
    }
}
