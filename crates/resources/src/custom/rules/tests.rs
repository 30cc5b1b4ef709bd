use serde_json::{Value, json};

use super::{Ruled, normalize};
use crate::custom::{Patterns, types::JSONSchemaProps};

fn schema(spec: &Value) -> JSONSchemaProps {
    serde_json::from_value(json!({"type": "object", "properties": {"spec": spec}})).unwrap()
}

/// The errors of an object with this `spec`; `old`: the one before.
fn errors(spec: &Value, new: &Value, old: Option<&Value>) -> Vec<String> {
    let ruled = Ruled::new(&schema(spec), &mut Patterns::default()).unwrap();
    let object =
        |spec: &Value| json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec});
    let outcome = ruled.run(&object(new), old.map(object).as_ref());
    outcome.errors.into_kept().iter().map(ToString::to_string).collect()
}

#[test]
fn items_that_were_there_are_found_by_their_keys() {
    let rules = json!([{"rule": "self.size >= oldSelf.size", "message": "grows"}]);
    let item = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "x-kubernetes-validations": rules,
    });
    let list = |kind: &str| {
        json!({
            "type": "array", "items": item,
            "x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": ["name"],
        })
    };
    let (a, b, less) =
        (json!({"name": "a", "size": 2}), json!({"name": "b", "size": 1}), json!({"name": "a", "size": 1}));
    let (before, moved, shrunk) = (json!([a, b]), json!([b, a]), json!([b, less]));
    assert_eq!(errors(&list("map"), &moved, Some(&before)), [""; 0]);
    assert_eq!(errors(&list("map"), &shrunk, Some(&before)), ["spec[1]: Invalid value: \"object\": grows"]);
    assert_eq!(errors(&list("map"), &shrunk, None), [""; 0], "nothing was there");
    assert_eq!(errors(&list("atomic"), &shrunk, Some(&before)), [""; 0], "nobody knows which it was");
}

#[test]
fn parts_of_all_of_have_rules_too() {
    let rule = |rule: &str| json!({"x-kubernetes-validations": [{"rule": rule}]});
    let spec = json!({"type": "integer", "allOf": [rule("self > 1"), rule("self < 5")]});
    assert_eq!(errors(&spec, &json!(3), None), [""; 0]);
    assert_eq!(errors(&spec, &json!(7), None), ["spec: Invalid value: \"integer\": failed rule: self < 5"]);
}

#[test]
fn all_rules_of_an_object_share_a_budget() {
    // Each is within what one may cost, and not all of them are within what they may together.
    let slow = "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))";
    let spec = json!({
        "type": "array",
        "items": {"type": "integer"},
        "x-kubernetes-validations": vec![json!({"rule": slow}); 20],
    });
    let long: Vec<usize> = (0..46).collect();
    let found = errors(&spec, &json!(long), None);
    let expect = "spec: Invalid value: \"array\": validation failed due to running out of cost budget, no further validation rules will be run";
    assert_eq!(found, [expect]);
    assert_eq!(errors(&spec, &json!([1, 2]), None), [""; 0]);
}

#[test]
fn paths_of_fields_are_read() {
    let spec: JSONSchemaProps = serde_json::from_value(json!({
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b-c": {"type": "string"}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "list": {"type": "array", "items": {"type": "string"}},
        },
    }))
    .unwrap();
    let cases = [
        (".a", Some("a")),
        (".a.b-c", Some("a.b-c")),
        (".a['b-c']", Some("a.b-c")),
        (".labels['x.y/z']", Some("labels[x.y/z]")),
        (".labels.x", Some("labels[x]")),
        (".list", Some("list")),
        (".list[0]", None),
        (".none", None),
        ("a", None),
        (".", None),
        (".a['b-c'", None),
        (".a[b]", None),
    ];
    for (path, expect) in cases {
        assert_eq!(normalize(path, &spec).ok().as_deref(), expect, "{path}");
    }
}

/// A list that is as long as a body can be is compared with the one before it in time, and not complained of without end.
#[test]
fn the_longest_list_is_looked_through_once_and_its_faults_are_counted() {
    const ITEMS: usize = 30_000;
    let message = "m".repeat(1000);
    let item = json!({
        "type": "object",
        "properties": {"name": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.name < 0", "message": message}],
    });
    let spec = json!({
        "type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "maxItems": ITEMS,
    });
    let list = |from: usize| (from..from + ITEMS).map(|name| json!({"name": name})).collect::<Value>();
    let told = errors(&spec, &list(ITEMS), Some(&list(0)));
    assert_eq!(told.len(), crate::COMPLAINTS_MAX);
}

#[test]
fn patterns_of_all_rules_are_bounded_together() {
    // Each has as many states as there are letters in Unicode, twenty times.
    let rule = |at: usize| json!({"rule": format!("self.matches('\\\\w{{20}}{at}')")});
    let rules: Vec<Value> = (0..100).map(rule).collect();
    let spec = json!({"type": "string", "x-kubernetes-validations": rules});
    let ruled = Ruled::new(&schema(&spec), &mut Patterns::default()).unwrap();
    let rules = &ruled.property("spec").unwrap().rules;
    let refused: Vec<_> = rules.iter().filter_map(|rule| rule.program.as_ref().err()).collect();
    assert!((1..=90).contains(&refused.len()), "{}", refused.len());
    assert!(rules[0].program.is_ok() && rules[99].program.is_err(), "those that come first have room");
    assert!(refused[0].contains("with all other patterns of the definition"), "{}", refused[0]);
    // The same pattern in many rules is one.
    let alike = vec![json!({"rule": "self.matches('\\\\w{20}')"}); 100];
    let spec = json!({"type": "string", "x-kubernetes-validations": alike});
    let ruled = Ruled::new(&schema(&spec), &mut Patterns::default()).unwrap();
    assert!(ruled.property("spec").unwrap().rules.iter().all(|rule| rule.program.is_ok()));
}
