//! Schemas, and what they make of objects.

use serde_json::{Value, json};

use super::{
    CustomResourceDefinition, Patterns, Schema, faults, is_true, names, settle, types::JSONSchemaProps,
    validate::faults_since,
};
use crate::{admission::aggregate, meta::Time};

fn schema(props: Value) -> Schema {
    Schema::new(&serde_json::from_value::<JSONSchemaProps>(props).unwrap(), &mut Patterns::default())
}

/// A schema, an object that was sent, what is stored of it, and the fields that the schema does not have.
#[test]
fn what_is_sent_is_pruned_and_completed() {
    let text = json!({"type": "string"});
    let cases = [
        (json!({"properties": {"a": text}}), json!({"a": "1", "b": {"c": 2}}), json!({"a": "1"}), vec!["b"]),
        (
            json!({}),
            json!({"apiVersion": "v", "kind": "K", "metadata": {"name": "n"}, "x": 1}),
            json!({"apiVersion": "v", "kind": "K", "metadata": {"name": "n"}}),
            vec!["x"],
        ),
        (
            json!({"x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "object"}}}),
            json!({"a": {"b": 1}, "c": {"d": 2}}),
            json!({"a": {}, "c": {"d": 2}}),
            vec!["a.b"],
        ),
        (
            json!({"properties": {"m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": text}}}}}),
            json!({"m": {"k": {"a": "1", "b": "2"}}}),
            json!({"m": {"k": {"a": "1"}}}),
            vec!["m.k.b"],
        ),
        (
            json!({"properties": {"l": {"type": "array", "items": {"type": "object", "properties": {"a": text}}}}}),
            json!({"l": [{"a": "1"}, {"z": 1}]}),
            json!({"l": [{"a": "1"}, {}]}),
            vec!["l[1].z"],
        ),
        (
            json!({"properties": {"e": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": text}}}}),
            json!({"e": {"kind": "K", "metadata": {"name": "n"}, "more": 1}}),
            json!({"e": {"kind": "K", "metadata": {"name": "n"}}}),
            vec!["e.more"],
        ),
        (
            json!({"properties": {"a": {"type": "string", "default": "x"}, "o": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 7}}}}}),
            json!({}),
            json!({"a": "x", "o": {"b": 7}}),
            vec![],
        ),
        (
            json!({"properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string", "nullable": true, "default": "x"}, "c": text}}),
            json!({"a": null, "b": null, "c": null}),
            json!({"a": "x", "b": null}),
            vec![],
        ),
    ];
    for (props, mut object, stored, unknown) in cases {
        let found = schema(props.clone()).complete(&mut object);
        assert_eq!(
            (object, found),
            (stored, Ok(unknown.into_iter().map(str::to_owned).collect())),
            "{props}"
        );
    }
}

/// A schema, a value, and what is wrong with it.
#[test]
fn what_a_schema_forbids_is_told_as_kubernetes_does() {
    let number = json!({"type": "integer", "minimum": 1, "maximum": 9});
    let of = |schema: &Value| json!({"type": "object", "properties": {"a": schema}});
    let (has_b, has_c) = (json!({"required": ["b"]}), json!({"required": ["c"]}));
    let cases = [
        (of(&number), json!({"a": 5}), ""),
        (of(&number), json!({"a": 5.0}), ""),
        (of(&number), json!({"a": 0}), "a: Invalid value: 0: a in body should be greater than or equal to 1"),
        (
            of(&number),
            json!({"a": "5"}),
            "a: Invalid value: \"string\": a in body must be of type integer: \"string\"",
        ),
        (
            of(&json!({"type": "string", "minLength": 2})),
            json!({"a": "x"}),
            "a: Invalid value: \"x\": a in body should be at least 2 chars long",
        ),
        (
            of(&json!({"type": "string", "maxLength": 2})),
            json!({"a": "äöü"}),
            "a: Too long: may not be more than 2 bytes",
        ),
        (
            of(&json!({"type": "string", "pattern": "^b+$"})),
            json!({"a": "x"}),
            "a: Invalid value: \"x\": a in body should match '^b+$'",
        ),
        (
            of(&json!({"type": "string", "enum": ["x", "y"]})),
            json!({"a": "z"}),
            "a: Unsupported value: \"z\": supported values: \"x\", \"y\"",
        ),
        (
            of(&json!({"type": "array", "maxItems": 1, "items": number})),
            json!({"a": [1, 2]}),
            "a: Too many: 2: must have at most 1 item",
        ),
        (
            of(&json!({"type": "array", "items": number})),
            json!({"a": [1, 20]}),
            "a[1]: Invalid value: 20: a[1] in body should be less than or equal to 9",
        ),
        (of(&json!({"type": "object", "required": ["b"]})), json!({"a": {}}), "a.b: Required value"),
        (
            of(&json!({"type": "object", "additionalProperties": number})),
            json!({"a": {"k": 0}}),
            "a.k: Invalid value: 0: a.k in body should be greater than or equal to 1",
        ),
        (of(&json!({"type": "number", "multipleOf": 0.1})), json!({"a": 0.3}), ""),
        (
            of(&json!({"x-kubernetes-int-or-string": true})),
            json!({"a": true}),
            "a: Invalid value: \"boolean\": a in body must be of type integer,string: \"boolean\"",
        ),
        (
            of(&json!({"type": "object", "not": has_b})),
            json!({"a": {"b": 1}}),
            "<nil>: Invalid value: \"\": \"a\" must not validate the schema (not)",
        ),
        (
            of(&json!({"type": "object", "oneOf": [has_b, has_c]})),
            json!({"a": {"b": 1, "c": 2}}),
            "<nil>: Invalid value: \"\": \"a\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ),
        (of(&json!({"type": "object", "anyOf": [has_b, has_c]})), json!({"a": {"c": 2}}), ""),
    ];
    for (props, value, expect) in cases {
        let found = faults(&value, &schema(props.clone()));
        let found = if found.is_empty() { String::new() } else { aggregate(&found) };
        assert_eq!(found, expect, "{props} of {value}");
    }
}

#[test]
fn what_was_wrong_before_is_told_again_only_where_it_changed() {
    let (has_b, has_c) = (json!({"required": ["b"]}), json!({"required": ["c"]}));
    // So many that looking at all of the object for each would take minutes.
    let many = 60_000;
    let item = json!({"type": "object", "anyOf": [has_b, has_c]});
    let names: Vec<String> = (0..many).map(|at| format!("f{at}")).collect();
    let schema = schema(json!({"type": "object", "properties": {
        "l": {"type": "array", "items": item},
        "o": {"type": "object", "required": names},
        "z": {"type": "integer", "maximum": 1},
    }}));
    let object = |z: i32| {
        let others = (0..many).map(|at| (format!("g{at}"), Value::from(at)));
        json!({"l": vec![json!({}); many], "o": others.collect::<Value>(), "z": z})
    };
    let found = |old: &Value, new: &Value| {
        let found = faults_since(new, Some(old), &schema);
        let left_out = found.left_out();
        (found.into_kept().iter().map(ToString::to_string).collect::<Vec<_>>(), left_out)
    };
    assert_eq!(found(&object(2), &object(2)), (vec![], 0));
    let (told, left_out) = found(&object(2), &object(3));
    assert_eq!(
        told.len() + left_out,
        many + 1,
        "the lists' complaints are about the whole object, as upstream's"
    );
    assert!(told[0].contains("must validate at least one schema (anyOf)"), "{told:?}");
}

fn definition(plural: &str, kind: &str) -> CustomResourceDefinition {
    let names = json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")});
    let version = json!({"name": "v1", "served": true, "storage": true});
    let spec = json!({"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]});
    serde_json::from_value(json!({"metadata": {"name": format!("{plural}.example.com")}, "spec": spec}))
        .unwrap()
}

#[test]
fn names_are_given_once_and_kinds_are_made_once() {
    let now = Time(jiff::Timestamp::UNIX_EPOCH);
    let first = settle(&definition("ones", "One"), std::iter::empty(), &now);
    assert!(is_true(&first, names::ESTABLISHED));
    assert_eq!(settle(&first, std::iter::empty(), &now), first, "nothing more follows");
    let given = first.status.as_ref().unwrap().accepted_names.clone().unwrap();
    let second = settle(&definition("others", "One"), std::iter::once(&given), &now);
    assert!(!is_true(&second, names::NAMES_ACCEPTED) && !is_true(&second, names::ESTABLISHED));

    let kinds = |crd: &CustomResourceDefinition| super::kinds(crd)[0];
    assert!(std::ptr::eq(kinds(&first), kinds(&definition("ones", "One"))), "made again, it is the same");
    let mut newer = definition("ones", "One");
    newer.spec.versions[0].name = "v2".into();
    assert!(kinds(&newer) != kinds(&first) && kinds(&newer).hub() == kinds(&first).hub());
}

#[test]
fn the_bounds_of_a_schema_stay_as_they_were_written() {
    let mut value = serde_json::to_value(definition("ones", "One")).unwrap();
    value["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"minimum": 1, "maximum": 2.5, "default": 1.0});
    let read: CustomResourceDefinition = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), value);
}
