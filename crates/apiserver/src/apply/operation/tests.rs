use resources::{Kind, annotations::LAST_APPLIED, kinds, meta::Time};
use serde_json::{Value, json};

use super::*;
use crate::apply::{fields_v1, managed::UPDATERS_MAX};

/// An object that is applied to and updated, as a server would have it.
struct Object {
    kind: &'static Kind,
    live: Value,
    managed: Managed,
    now: i64,
}

impl Object {
    fn none_yet(group: &str, plural: &str) -> Self {
        let kind = kinds::by_plural(group, "v1", plural).unwrap();
        Self { kind, live: json!({}), managed: Managed::default(), now: 0 }
    }

    fn now(&mut self) -> Time {
        self.now += 1;
        Time(jiff::Timestamp::from_second(self.now).unwrap())
    }

    fn apply(&mut self, manager: &str, force: bool, configuration: Value) -> Result<(), Refused> {
        let manager =
            Manager { operation: Operation::Apply, ..Manager::updater(manager.to_owned(), self.kind, None) };
        let (root, now) = (Root::of(self.kind, None), self.now());
        let mut managed = self.managed.clone();
        self.live = apply(&mut managed, &self.live, &configuration, &root, &manager, force, now)?;
        self.managed = managed;
        Ok(())
    }

    fn update(&mut self, manager: &str, new: Value) {
        let manager = Manager::updater(manager.to_owned(), self.kind, None);
        let (root, now) = (Root::of(self.kind, None), self.now());
        update(&mut self.managed, &self.live, &new, &root, &manager, now);
        self.live = new;
    }

    /// What is there, as the form of a group has it.
    fn seen_as(&mut self, group: &str) {
        let (before, live) = (self.kind, self.kind.decode_value(self.live.clone()).unwrap());
        self.kind = kinds::by_plural(group, "v1", before.plural).unwrap();
        let seen = self.kind.of_original(&*live).or_else(|| before.to_original(&*live));
        self.live = seen.unwrap().to_value();
    }

    /// The fields of a manager; null for one that has none.
    fn fields(&self, manager: &str) -> Value {
        let entry = self.managed.entries.iter().find(|entry| entry.manager.name == manager);
        entry.map_or(Value::Null, |entry| fields_v1::write(&entry.fields))
    }
}

fn config_map() -> Object {
    Object::none_yet("", "configmaps")
}

fn conflicts(refused: Result<(), Refused>) -> Vec<(String, String)> {
    match refused {
        Err(Refused::Conflicts(conflicts)) => conflicts
            .into_kept()
            .into_iter()
            .map(|conflict| (conflict.manager.name, conflict.field))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_an_applier_leaves_out_goes_unless_somebody_else_has_it() {
    let mut map = config_map();
    map.apply("one", false, json!({"data": {"a": "1", "b": "2"}})).unwrap();
    map.apply("two", false, json!({"data": {"b": "2", "c": "3"}})).unwrap();
    map.apply("one", false, json!({"data": {}})).unwrap();
    assert_eq!(map.live, json!({"data": {"b": "2", "c": "3"}}));
    assert_eq!(map.fields("one"), json!({"f:data": {}}));
    assert_eq!(map.fields("two"), json!({"f:data": {"f:b": {}, "f:c": {}}}));
}

#[test]
fn managers_of_both_forms_of_a_kind_have_the_same_fields() {
    let mut event = Object::none_yet("", "events");
    event.update("old", json!({"message": "m", "count": 1, "reason": "R"}));
    event.seen_as("events.k8s.io");
    let wish = json!({"note": "n", "deprecatedCount": 1});
    // Each is told by the name that it has for who manages it.
    let message = [("old".to_owned(), ".message".to_owned())];
    assert_eq!(conflicts(event.apply("new", false, wish.clone())), message);
    event.apply("new", true, wish).unwrap();
    assert_eq!(event.fields("old"), json!({"f:count": {}, "f:reason": {}}));
    assert_eq!(event.fields("new"), json!({"f:note": {}, "f:deprecatedCount": {}}));
    // An applier is one in whichever form it applies: what it leaves out goes, under either name.
    event.seen_as("");
    assert_eq!(event.live["message"], "n");
    event.apply("new", false, json!({"count": 1})).unwrap();
    assert_eq!((event.live.get("message"), &event.live["count"]), (None, &json!(1)));
    assert_eq!(event.fields("new"), json!({"f:count": {}}));
    // And an update takes from both.
    event.seen_as("events.k8s.io");
    let mut live = event.live.clone();
    live["deprecatedCount"] = json!(2);
    event.update("later", live);
    assert_eq!(event.fields("old"), json!({"f:reason": {}}));
    assert_eq!((event.fields("new"), event.fields("later")), (Value::Null, json!({"f:deprecatedCount": {}})));
}

#[test]
fn the_metrics_of_an_autoscaler_have_the_same_managers_in_both_versions() {
    let mut scaler = Object::none_yet("autoscaling", "horizontalpodautoscalers");
    scaler.update("old", json!({"spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 70}}));
    let form = scaler.kind;
    scaler.kind = form.original();
    scaler.live = form.to_original(&*form.decode_value(scaler.live.clone()).unwrap()).unwrap().to_value();
    let target = json!({"type": "Utilization", "averageUtilization": 50});
    let wish =
        json!({"spec": {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}});
    let field = [("old".to_owned(), ".spec.targetCPUUtilizationPercentage".to_owned())];
    assert_eq!(conflicts(scaler.apply("new", false, wish.clone())), field);
    scaler.apply("new", true, wish).unwrap();
    let old = &scaler.fields("old")["f:spec"];
    assert!(old["f:maxReplicas"].is_object() && old["f:targetCPUUtilizationPercentage"].is_null(), "{old}");
    assert_eq!(scaler.fields("new"), json!({"f:spec": {"f:metrics": {}}}));
}

#[test]
fn what_somebody_else_has_is_taken_by_force_only() {
    let mut map = config_map();
    map.apply("one", false, json!({"data": {"a": "1"}})).unwrap();
    map.update("two", json!({"data": {"a": "1", "b": "2"}}));
    let wish = json!({"data": {"a": "9", "b": "9"}});
    assert_eq!(
        conflicts(map.apply("three", false, wish.clone())),
        [("one".to_owned(), ".data.a".to_owned()), ("two".to_owned(), ".data.b".to_owned())]
    );
    assert_eq!(map.live, json!({"data": {"a": "1", "b": "2"}}), "a refusal changes nothing");
    map.apply("three", true, wish).unwrap();
    assert_eq!([map.fields("one"), map.fields("two")], [Value::Null, Value::Null]);
    // Whoever updates asks nobody.
    map.update("two", json!({"data": {"a": "1", "b": "9"}}));
    assert_eq!(map.fields("three"), json!({"f:data": {"f:b": {}}}));
    assert_eq!(map.fields("two"), json!({"f:data": {"f:a": {}}}));
}

#[test]
fn an_object_that_nobody_managed_was_all_somebodys() {
    let mut map = config_map();
    map.live = json!({"data": {"a": "1"}});
    assert_eq!(
        conflicts(map.apply("one", false, json!({"data": {"a": "2"}}))),
        [(BEFORE_FIRST_APPLY.to_owned(), ".data.a".to_owned())]
    );
    map.apply("one", false, json!({"data": {"b": "2"}})).unwrap();
    assert_eq!(map.live, json!({"data": {"a": "1", "b": "2"}}));
}

#[test]
fn lists_with_keys_are_merged_item_by_item_in_the_appliers_order() {
    let containers = |containers: Value| json!({"spec": {"containers": containers}});
    let mut pod = Object::none_yet("", "pods");
    pod.apply("one", false, containers(json!([{"name": "a", "image": "x"}, {"name": "b", "image": "x"}])))
        .unwrap();
    pod.apply("two", false, containers(json!([{"name": "c", "image": "y"}, {"name": "a", "tty": true}])))
        .unwrap();
    assert_eq!(
        pod.live,
        containers(json!([
            {"name": "c", "image": "y"},
            {"name": "a", "image": "x", "tty": true},
            {"name": "b", "image": "x"},
        ]))
    );
    pod.apply("one", false, containers(json!([{"name": "b", "image": "x"}]))).unwrap();
    assert_eq!(
        pod.live,
        containers(json!([
            {"name": "c", "image": "y"},
            {"name": "a", "tty": true},
            {"name": "b", "image": "x"},
        ]))
    );
    assert_eq!(
        pod.fields("two"),
        json!({"f:spec": {"f:containers": {
            "k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:tty": {}},
            "k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}},
        }}})
    );
}

#[test]
fn a_status_without_a_subresource_is_a_field_like_others() {
    let written = json!({"status": {"phase": "x"}});
    for (plural, expect) in
        [("configmaps", json!({"f:status": {".": {}, "f:phase": {}}})), ("pods", Value::Null)]
    {
        let mut object = Object::none_yet("", plural);
        object.update("one", written.clone());
        assert_eq!(object.fields("one"), expect, "{plural}");
    }
}

#[test]
fn what_kubectl_applied_is_noted_while_there_is_room() {
    for (len, is_noted) in [(10, true), (300 << 10, false)] {
        let mut map = config_map();
        map.update("kubectl", json!({"metadata": {"annotations": {LAST_APPLIED: "{}", "a": "b"}}}));
        let wish = json!({"data": {"k": "v".repeat(len)}});
        map.apply("kubectl", false, wish.clone()).unwrap();
        let mut expect = json!({"a": "b"});
        if is_noted {
            expect[LAST_APPLIED] = format!("{wish}\n").into();
        }
        assert_eq!(map.live["metadata"]["annotations"], expect, "{len}");
    }
}

#[test]
fn an_applier_is_one_whatever_version_it_applies() {
    let mut map = config_map();
    map.apply("one", false, json!({"data": {"a": "1", "b": "1"}})).unwrap();
    map.managed.entries[0].manager.api_version = "v1beta1".into();
    map.apply("one", false, json!({"data": {"a": "2"}})).unwrap();
    assert_eq!(map.live, json!({"data": {"a": "2"}}));
    let versions: Vec<&str> = map.managed.entries.iter().map(|entry| &*entry.manager.api_version).collect();
    assert_eq!(versions, ["v1"]);
}

#[test]
fn what_is_one_value_changes_hands_as_one() {
    let selector = |labels: Value| json!({"spec": {"selector": labels}});
    let mut service = Object::none_yet("", "services");
    service.apply("one", false, selector(json!({"a": "1"}))).unwrap();
    assert_eq!(
        conflicts(service.apply("two", false, selector(json!({"b": "2"})))),
        [("one".to_owned(), ".spec.selector".to_owned())]
    );
    service.apply("two", true, selector(json!({"b": "2"}))).unwrap();
    assert_eq!(service.live, selector(json!({"b": "2"})));
}

#[test]
fn what_the_kind_does_not_have_is_refused_with_its_path() {
    let cases = [
        (json!({"date": {}}), ".date: field not declared in schema"),
        (json!({"data": []}), ".data: expected map, got []"),
        (json!({"data": {"a": 1}}), ".data.a: expected string, got 1"),
        (json!({"immutable": "yes"}), ".immutable: expected boolean, got \"yes\""),
        (
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            ".metadata.finalizers: duplicate entries for key [=\"a\"]",
        ),
    ];
    for (configuration, fault) in cases {
        let refused = config_map().apply("one", false, configuration.clone());
        assert_eq!(refused, Err(Refused::Malformed(vec![fault.to_owned()])), "{configuration}");
    }
}

#[test]
fn those_who_updated_long_ago_become_one() {
    let mut map = config_map();
    for number in 0..30 {
        let mut data = map.live["data"].clone();
        data[format!("k{number}")] = "v".into();
        map.update(&format!("m{number}"), json!({"data": data}));
    }
    let updaters = map.managed.entries.len();
    assert_eq!(updaters, UPDATERS_MAX);
    assert!(map.fields("ancient-changes")["f:data"]["f:k0"].is_object());
    assert!(map.fields("m29").is_object());
}

#[test]
fn long_lists_are_merged_in_one_pass() {
    // So many that looking for each among all would take minutes.
    let names = |from: usize, to: usize| (from..to).map(|at| format!("a.b/{at}")).collect::<Vec<_>>();
    let finalizers = |names: Vec<String>| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "finalizers": names}});
    let mut object = config_map();
    object.update("kubectl", finalizers(names(0, 60_000)));
    object.apply("me", false, finalizers(names(60_000, 120_000))).unwrap();
    let merged = object.live.pointer("/metadata/finalizers").unwrap().as_array().unwrap();
    assert_eq!(merged.len(), 120_000);
}
