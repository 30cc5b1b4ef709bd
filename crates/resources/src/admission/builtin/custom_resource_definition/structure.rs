//! Whether a schema is structural: whether it says of every field of what type it is (upstream:
//! apiextensions-apiserver, `apiserver/schema/validation.go`).

use super::extensions::{Step, alternatives, at, children, parts};
use crate::{
    admission::{FieldError, path::Path},
    custom::{self, Patterns, Ruled, Schema, types::JSONSchemaProps},
};

/// Where in an object a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// `patterns`: those of the definition so far.
pub(super) fn check(
    schema: &JSONSchemaProps,
    patterns: &mut Patterns,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    if schema.nullable == Some(true) {
        errors.push(FieldError::forbidden(&path.child("nullable"), "nullable cannot be true at the root"));
    }
    let mut found = Vec::new();
    invariants(schema, Level::Root, path, &mut found);
    complete(schema, path, &mut found);
    check_patterns(schema, patterns, path, &mut found);
    found.sort_by_key(ToString::to_string);
    errors.extend(found);
}

fn check_patterns(
    schema: &JSONSchemaProps,
    patterns: &mut Patterns,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(pattern) = &schema.pattern
        && let Err(why) = patterns.get(pattern)
    {
        errors.push(FieldError::invalid(&path.child("pattern"), pattern, why.to_string()));
    }
    for (step, child) in children(schema) {
        at(path, step, |path| check_patterns(child, patterns, path, errors));
    }
}

fn on(flag: Option<bool>) -> bool {
    flag == Some(true)
}

fn invariants(schema: &JSONSchemaProps, level: Level, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let type_ = schema.type_.as_deref().unwrap_or_default();
    if type_ == "array" && schema.items.is_none() {
        errors.push(FieldError::required(&path.child("items"), "must be specified"));
    }
    for (step, child) in parts(schema) {
        let below = if matches!(step, Step::Field("items")) { Level::Item } else { Level::Field };
        at(path, step, |path| invariants(child, below, path, errors));
    }
    if schema.additional_properties.is_some() && level == Level::Root {
        let why = "must not be used at the root";
        errors.push(FieldError::forbidden(&path.child("additionalProperties"), why));
    }
    let (mixed, embedded) =
        (on(schema.x_kubernetes_int_or_string), on(schema.x_kubernetes_embedded_resource));
    let preserves = on(schema.x_kubernetes_preserve_unknown_fields);
    if mixed && preserves {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(&at, true, "must be false if x-kubernetes-int-or-string is true"));
    }
    if mixed && embedded {
        let at = path.child("x-kubernetes-embedded-resource");
        errors.push(FieldError::invalid(&at, true, "must be false if x-kubernetes-int-or-string is true"));
    }
    values(schema, path, errors);
    let at_type = path.child("type");
    if embedded && type_ != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match type_ {
            "" => FieldError::required(&at_type, why),
            other => FieldError::invalid(&at_type, other, why),
        });
    } else if type_.is_empty() && !mixed && !preserves {
        errors.push(FieldError::required(
            &at_type,
            match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            },
        ));
    }
    if level == Level::Root && !type_.is_empty() && type_ != "object" {
        errors.push(FieldError::invalid(&at_type, type_, "must be object at the root"));
    }
    of_every_object(schema, level == Level::Root, embedded, path, errors);
}

/// `apiVersion`, `kind` and `metadata`, of which a schema can say little.
fn of_every_object(
    schema: &JSONSchemaProps,
    root: bool,
    embedded: bool,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let properties = path.child("properties");
    let property = |name: &str| schema.properties.as_ref().and_then(|properties| properties.get(name));
    if !root && !embedded {
        return;
    }
    for (name, type_) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        let found = property(name).map(|schema| schema.type_.as_deref().unwrap_or_default());
        if let Some(found) = found.filter(|found| *found != type_) {
            let at = properties.key(name);
            errors.push(FieldError::invalid(&at.child("type"), found, format!("must be {type_}")));
        }
    }
    let restricted = property("metadata").filter(|_| root).is_some_and(|metadata| {
        let names =
            metadata.properties.iter().flatten().all(|(name, _)| name == "name" || name == "generateName");
        let bare = JSONSchemaProps {
            properties: None,
            type_: None,
            default: None,
            description: metadata.description.clone(),
            ..metadata.clone()
        };
        let nothing =
            JSONSchemaProps { description: metadata.description.clone(), ..JSONSchemaProps::default() };
        !names || bare != nothing
    });
    if restricted {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(&properties.key("metadata"), why));
    }
    let empty = schema.properties.as_ref().is_none_or(|properties| properties.is_empty());
    if embedded && empty && !on(schema.x_kubernetes_preserve_unknown_fields) {
        let why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(&properties, why));
    }
}

/// What a schema says of values, and of alternatives of it.
fn values(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mixed = is_int_or_string(schema);
    for (step, child) in alternatives(schema) {
        let known = match step {
            Step::Index("anyOf", _) => mixed,
            _ => false,
        };
        if !known {
            at(path, step, |path| nested(child, path, matches!(step, Step::Index("allOf", 0)), errors));
        }
    }
}

/// `anyOf: [{type: integer}, {type: string}]`, the one place where a type may stand within logic.
fn is_int_or_string(schema: &JSONSchemaProps) -> bool {
    let of = |type_: &str| JSONSchemaProps { type_: Some(type_.into()), ..JSONSchemaProps::default() };
    schema.any_of.as_deref().is_some_and(|any| *any == [of("integer"), of("string")])
}

/// A schema within logic says nothing but of values. `first`: whether it is the first of `allOf`.
fn nested(schema: &JSONSchemaProps, path: &Path<'_>, first: bool, errors: &mut Vec<FieldError>) {
    let text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let forbidden: [(&'static str, bool, &str); 12] = [
        ("type", text(&schema.type_), "must be empty to be structural"),
        (
            "additionalProperties",
            schema.additional_properties.is_some(),
            "must be undefined to be structural",
        ),
        ("default", schema.default.is_some(), "must be undefined to be structural"),
        ("title", text(&schema.title), "must be empty to be structural"),
        ("description", text(&schema.description), "must be empty to be structural"),
        ("nullable", on(schema.nullable), "must be false to be structural"),
        (
            "x-kubernetes-preserve-unknown-fields",
            on(schema.x_kubernetes_preserve_unknown_fields),
            "must be false to be structural",
        ),
        (
            "x-kubernetes-embedded-resource",
            on(schema.x_kubernetes_embedded_resource),
            "must be false to be structural",
        ),
        (
            "x-kubernetes-int-or-string",
            on(schema.x_kubernetes_int_or_string),
            "must be false to be structural",
        ),
        (
            "x-kubernetes-list-map-keys",
            schema.x_kubernetes_list_map_keys.as_ref().is_some_and(|keys| !keys.is_empty()),
            "must be empty to be structural",
        ),
        (
            "x-kubernetes-list-type",
            schema.x_kubernetes_list_type.is_some(),
            "must be undefined to be structural",
        ),
        (
            "x-kubernetes-map-type",
            schema.x_kubernetes_map_type.is_some(),
            "must be undefined to be structural",
        ),
    ];
    for (field, _, why) in forbidden.iter().filter(|(_, there, _)| *there) {
        errors.push(FieldError::forbidden(&path.child(field), *why));
    }
    if schema.properties.as_ref().is_some_and(|properties| properties.contains_key("metadata")) {
        let at = path.child("properties");
        errors.push(FieldError::forbidden(&at.key("metadata"), "must not be specified in a nested context"));
    }
    let mixed = first && is_int_or_string(schema);
    for (step, child) in parts(schema).chain(alternatives(schema)) {
        if !(mixed && matches!(step, Step::Index("anyOf", _))) {
            at(path, step, |path| nested(child, path, false, errors));
        }
    }
}

/// What logic at the root speaks of is also said outside of it. Upstream looks no deeper.
fn complete(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (step, child) in alternatives(schema) {
        at(path, step, |spoken| spoken_of(child, schema, path, spoken, errors));
    }
}

/// `known`: what is said outside, at `path`; `spoken`: where it is spoken of.
fn spoken_of(
    schema: &JSONSchemaProps,
    known: &JSONSchemaProps,
    path: &Path<'_>,
    spoken: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    for (step, child) in parts(schema) {
        let outside = parts(known).find(|(there, _)| *there == step).map(|(_, child)| child);
        at(path, step, |path| {
            at(spoken, step, |spoken| match outside {
                Some(outside) => spoken_of(child, outside, path, spoken, errors),
                None => errors.push(FieldError::required(path, format!("because it is defined in {spoken}"))),
            });
        });
    }
    for (step, child) in alternatives(schema) {
        at(spoken, step, |spoken| spoken_of(child, known, path, spoken, errors));
    }
}

/// Defaults are what the schema itself would take, all of it.
pub(super) fn check_defaults(
    schema: &JSONSchemaProps,
    patterns: &mut Patterns,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    if has_defaults(schema) {
        // Read once: a default may stand at each level, and all below it is looked at.
        let (own, ruled) = (Schema::new(schema, patterns), Ruled::new(schema, patterns));
        look_at_defaults(schema, &own, ruled.as_ref(), path, errors);
    }
}

fn has_defaults(schema: &JSONSchemaProps) -> bool {
    schema.default.is_some() || parts(schema).any(|(_, child)| has_defaults(child))
}

/// `own`, `ruled`: the schema and its rules, read.
fn look_at_defaults(
    schema: &JSONSchemaProps,
    own: &Schema,
    ruled: Option<&Ruled>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(default) = &schema.default {
        let at = path.child("default");
        let mut kept = default.0.clone();
        own.prune_value(&mut kept);
        if kept != default.0 {
            errors.push(FieldError::invalid(&at, &default.0, "must not have unknown fields"));
        } else {
            let mut found = custom::faults(&default.0, own);
            if found.is_empty()
                && let Some(rules) = ruled
            {
                found = rules.run_at("", &default.0, None).errors.into_kept();
            }
            for error in found {
                let field = match error.field.as_str() {
                    "<nil>" | "" => at.to_string(),
                    field => format!("{at}.{field}"),
                };
                errors.push(FieldError { field, ..error });
            }
        }
    }
    for (step, child) in parts(schema) {
        let (own, ruled) = match step {
            Step::Key(_, name) => (own.property(name), ruled.and_then(|ruled| ruled.property(name))),
            Step::Field("items") => (own.item(), ruled.and_then(Ruled::item)),
            Step::Field(_) | Step::Index(..) => (own.other(), ruled.and_then(Ruled::other)),
        };
        if let Some(own) = own {
            self::at(path, step, |path| look_at_defaults(child, own, ruled, path, errors));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn errors(schema: Value) -> Vec<String> {
        let schema: JSONSchemaProps = serde_json::from_value(schema).unwrap();
        let (path, mut patterns, mut errors) = (Path::root("s"), Patterns::default(), Vec::new());
        check(&schema, &mut patterns, &path, &mut errors);
        if errors.is_empty() {
            check_defaults(&schema, &mut patterns, &path, &mut errors);
        }
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn patterns_are_bounded_together_wherever_they_are() {
        let text =
            |at: usize| (format!("p{at}"), json!({"type": "string", "pattern": format!("\\w{{20}}{at}")}));
        let all =
            |count: usize| json!({"type": "object", "properties": (0..count).map(text).collect::<Value>()});
        assert_eq!(errors(all(5)), [""; 0]);
        let found = errors(all(100));
        assert!(found.contains(&"s.properties[p99].pattern".to_owned()), "{found:?}");
        let alike = json!({"anyOf": vec![json!({"pattern": "\\w{20}"}); 100]});
        assert_eq!(
            errors(json!({"type": "object", "properties": {"p": {"type": "string", "allOf": [alike]}}})),
            [""; 0]
        );
    }

    #[test]
    fn defaults_are_held_against_their_own_part_of_the_schema() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "object", "default": {"b": "x"}, "properties": {"b": {"type": "string", "pattern": "^y$"}}},
            "l": {"type": "array", "items": {"type": "string", "pattern": "^y$", "default": "z"}},
            "m": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "default": 0}},
            "r": {"type": "array", "items": {
                "type": "integer", "default": 2, "x-kubernetes-validations": [{"rule": "self > 2"}],
            }},
        }});
        let fields = [
            "s.properties[a].default.b",
            "s.properties[l].items.default",
            "s.properties[m].additionalProperties.default",
            "s.properties[r].items.default",
        ];
        assert_eq!(errors(schema), fields);
    }
}
