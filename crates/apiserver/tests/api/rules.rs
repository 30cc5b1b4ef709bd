//! Rules of users' kinds (`x-kubernetes-validations`): what they refuse and let be, and what they may cost.

use serde_json::{Value, json};

use crate::rig::Rig;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OBJECTS: &str = "/apis/example.com/v1/namespaces/default/ruled";
const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];

/// A definition whose objects have this `spec`.
fn definition(spec: &Value) -> Value {
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ruled.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "ruled", "kind": "Ruled"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn object(name: &str, spec: &Value) -> String {
    json!({"apiVersion": "example.com/v1", "kind": "Ruled", "metadata": {"name": name}, "spec": spec})
        .to_string()
}

#[tokio::test]
async fn a_rule_that_comes_later_lets_be_what_was_there() {
    let rig = Rig::start().await;
    let fields = |rules: Value| {
        let size = json!({"type": "integer", "x-kubernetes-validations": rules});
        json!({"type": "object", "properties": {"size": size, "other": {"type": "integer"}}})
    };
    rig.post(DEFINITIONS, &definition(&fields(json!([])))).await;
    let made = rig.call("POST", OBJECTS, &[], &object("a", &json!({"size": -1}))).await;
    assert_eq!(made.code, 201, "{}", made.text);
    let rules = json!([{"rule": "self >= 0", "message": "not negative"}]);
    let patch = definition(&fields(rules)).to_string();
    let changed = rig.call("PATCH", &format!("{DEFINITIONS}/ruled.example.com"), &MERGE, &patch).await;
    assert_eq!(changed.code, 200, "{}", changed.text);

    let path = format!("{OBJECTS}/a");
    let kept = rig.call("PATCH", &path, &MERGE, r#"{"spec": {"other": 1}}"#).await;
    assert_eq!(kept.code, 200, "{}", kept.text);
    let told = kept.headers["warning"].to_str().unwrap();
    assert!(told.contains("spec.size: Invalid value: ") && told.contains("not negative"), "{told}");
    let worse = rig.call("PATCH", &path, &MERGE, r#"{"spec": {"size": -2}}"#).await;
    assert_eq!(worse.code, 422, "{}", worse.text);
    assert_eq!(worse.json["details"]["causes"][0]["field"], "spec.size");
    let better = rig.call("PATCH", &path, &MERGE, r#"{"spec": {"size": 2}}"#).await;
    assert_eq!((better.code, better.headers.get("warning")), (200, None), "{}", better.text);
    let new = rig.call("POST", OBJECTS, &[], &object("b", &json!({"size": -1}))).await;
    assert_eq!(new.code, 422, "{}", new.text);
}

/// A rule that upstream takes, since it does not know how large the object will be.
const SLOW: &str = "self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_rule_takes_longer_than_it_may_or_keeps_others_waiting() {
    let rig = Rig::start().await;
    let list = json!({"type": "array", "maxItems": 100, "items": {"type": "integer"}});
    let rules: Vec<Value> = (0..20).map(|at| json!({"rule": format!("{at} >= 0 && {SLOW}")})).collect();
    let spec = json!({"type": "object", "properties": {"list": list}, "x-kubernetes-validations": rules});
    let refused = rig.call("POST", DEFINITIONS, &[], &definition(&spec).to_string()).await;
    assert_eq!(refused.code, 422, "all together are too much: {}", refused.text);
    assert!(refused.text.contains("exceeds budget by factor of"), "{}", refused.text);
    let mut spec = spec;
    spec["x-kubernetes-validations"] = json!([{"rule": SLOW}]);
    rig.post(DEFINITIONS, &definition(&spec)).await;

    let long: Vec<usize> = (0..100).collect();
    let body = object("slow", &json!({"list": long}));
    let (slow, ()) = tokio::join!(rig.call("POST", OBJECTS, &[], &body), async {
        for _ in 0..20 {
            assert_eq!(rig.call("GET", "/api/v1/namespaces/default", &[], "").await.code, 200);
        }
    });
    assert_eq!(slow.code, 422, "{}", slow.text);
    assert!(slow.text.contains("call cost exceeds limit for rule"), "{}", slow.text);
    let short = rig.call("POST", OBJECTS, &[], &object("short", &json!({"list": [1, 2, 3]}))).await;
    assert_eq!(short.code, 201, "{}", short.text);
}
