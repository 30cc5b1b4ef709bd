use serde_json::json;

use super::*;
use crate::schema;

fn deployment() -> Place<'static> {
    let kind = resources::kinds::by_plural("apps", "v1", "deployments").unwrap();
    schema::root(kind)
}

fn check(before: Value, patch: Value, expect: Value) {
    assert_eq!(merge(before, &patch, deployment()).unwrap(), expect, "{patch}");
}

fn containers(containers: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

#[test]
fn objects_merge_and_null_deletes() {
    check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": null, "d": 3}}), json!({"a": {"c": 2, "d": 3}}));
    check(json!({}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}}));
    check(json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]}));
}

#[test]
fn items_merge_by_their_key() {
    check(
        containers(json!([{"name": "a", "image": "x", "env": [{"name": "K", "value": "1"}]}, {"name": "b"}])),
        containers(json!([{"name": "a", "env": [{"name": "L", "value": "2"}]}, {"name": "c"}])),
        containers(json!([
            {"name": "a", "image": "x", "env": [{"name": "L", "value": "2"}, {"name": "K", "value": "1"}]},
            {"name": "c"},
            {"name": "b"},
        ])),
    );
    assert!(merge(containers(json!([])), &containers(json!([{"image": "x"}])), deployment()).is_err());
}

#[test]
fn directives_delete_replace_and_retain() {
    check(
        containers(json!([{"name": "a"}, {"name": "b"}])),
        containers(json!([{"name": "a", "$patch": "delete"}])),
        containers(json!([{"name": "b"}])),
    );
    check(
        containers(json!([{"name": "a"}, {"name": "b"}])),
        containers(json!([{"$patch": "replace"}, {"name": "c"}])),
        containers(json!([{"name": "c"}])),
    );
    check(json!({"a": {"b": 1}}), json!({"a": {"$patch": "replace", "c": 2}}), json!({"a": {"c": 2}}));
    check(json!({"a": {"b": 1}}), json!({"a": {"$patch": "delete"}}), json!({"a": {}}));
    check(
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        json!({"spec": {"strategy": {"type": "Recreate"}}}),
    );
    check(
        json!({}),
        json!({"a": {"$patch": "replace", "c": 2}, "b": [{"$patch": "merge"}]}),
        json!({"b": []}),
    );
    assert!(merge(json!({}), &json!({"$patch": "explode"}), deployment()).is_err());
}

#[test]
fn finalizers_are_a_set() {
    check(
        json!({"metadata": {"finalizers": ["a", "b"]}}),
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c", "b"]}}),
        json!({"metadata": {"finalizers": ["c", "b"]}}),
    );
}

#[test]
fn long_lists_are_merged_in_one_pass() {
    // So many that looking for each among all would take minutes.
    let names = |from: usize, to: usize| (from..to).map(|at| format!("a.b/{at}")).collect::<Vec<_>>();
    let keyed = |names: Vec<String>| names.into_iter().map(|name| json!({"name": name})).collect::<Value>();
    let deleted = names(0, 30_000).into_iter().map(|name| json!({"name": name, "$patch": "delete"}));
    let mut patched: Vec<Value> = deleted.collect();
    patched.extend(names(30_000, 60_000).into_iter().map(|name| json!({"name": name, "image": "i"})));
    let ordered: Vec<String> = names(30_000, 60_000).into_iter().rev().collect();
    let expect = ordered.iter().map(|name| json!({"name": name, "image": "i"})).collect::<Value>();
    check(
        containers(keyed(names(0, 60_000))),
        json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": keyed(ordered),
            "containers": patched,
        }}}}),
        containers(expect),
    );
    check(
        json!({"metadata": {"finalizers": names(0, 60_000)}}),
        json!({"metadata": {
            "$deleteFromPrimitiveList/finalizers": names(0, 30_000),
            "finalizers": names(30_000, 90_000),
        }}),
        json!({"metadata": {"finalizers": names(30_000, 90_000)}}),
    );
    let data: serde_json::Map<_, _> = names(0, 60_000).into_iter().map(|name| (name, json!(""))).collect();
    check(
        json!({"data": data.clone()}),
        json!({"data": {"$retainKeys": names(0, 60_000), "a.b/0": ""}}),
        json!({"data": data}),
    );
}

#[test]
fn items_of_one_name_are_one_or_go_together() {
    let patch = |items: Value| containers(items);
    let twice =
        || containers(json!([{"name": "a", "image": "1"}, {"name": "b"}, {"name": "a", "image": "2"}]));
    check(
        twice(),
        patch(json!([{"name": "a", "image": "3"}, {"name": "c"}, {"name": "c", "image": "4"}])),
        containers(
            json!([{"name": "a", "image": "3"}, {"name": "c", "image": "4"}, {"name": "b"}, {"name": "a", "image": "2"}]),
        ),
    );
    check(
        twice(),
        patch(json!([{"name": "a", "$patch": "delete"}, {"name": "a", "image": "5"}])),
        containers(json!([{"name": "a", "image": "5"}, {"name": "b"}])),
    );
}

#[test]
fn the_order_is_the_patches() {
    check(
        containers(json!([{"name": "a"}, {"name": "x"}, {"name": "b"}])),
        json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
            "containers": [{"name": "c"}],
        }}}}),
        containers(json!([{"name": "c"}, {"name": "x"}, {"name": "b"}, {"name": "a"}])),
    );
}

#[test]
fn directives_of_items_count_first_wherever_they_are() {
    let before = || containers(json!([{"name": "a", "image": "y", "command": ["c"]}, {"name": "app"}]));
    check(
        before(),
        containers(json!([{"name": "a", "image": "x"}, {"name": "a", "$patch": "delete"}])),
        containers(json!([{"name": "a", "image": "x"}, {"name": "app"}])),
    );
    check(
        before(),
        containers(json!([{"name": "b"}, {"$patch": "replace"}, {"name": "a", "$patch": "delete"}])),
        containers(json!([{"name": "b"}])),
    );
    let refused = [
        json!([{"name": "new", "$patch": "merge"}, {"name": "new"}]),
        json!([{"name": "new", "$patch": "merge"}, {"name": "app"}, {"name": "new", "image": "x"}]),
        json!([{"name": "a", "$patch": "merge"}]),
        json!([{"name": "a", "$patch": "explode"}, {"$patch": "replace"}]),
        json!([{"name": "a", "$patch": 1}]),
        json!([{"$patch": "delete"}]),
        json!(["a"]),
    ];
    for patch in refused {
        assert!(merge(before(), &containers(patch.clone()), deployment()).is_err(), "{patch}");
    }
}
