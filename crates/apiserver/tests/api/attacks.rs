//! Requests that are made to cost more than they may, and what is left of the server after each.

use std::fmt::Write;

use apiserver::{ApiServer, Limits, Options, restore};
use serde_json::{Value, json};

use crate::{https::Answer, rig::Rig};

const CMS: &str = "/api/v1/namespaces/default/configmaps";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

async fn send(rig: &Rig, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
    rig.call(method, path, &[("content-type", content_type)], body).await
}

fn message(answer: &Answer) -> &str {
    answer.json["message"].as_str().unwrap_or_default()
}

/// A long name above many fields that come twice, or that there are not: each of their paths is as long as the body.
#[tokio::test]
async fn complaints_about_a_long_path_are_few_and_short() {
    let rig = Rig::start().await;
    let (long, twice) = ("x".repeat(1 << 20), vec!["\"\":0"; 100_000].join(","));
    let unknown = (0..50_000).fold(String::new(), |mut fields, number| {
        _ = write!(fields, "\"{number}\":0,");
        fields
    });
    for (fields, expect) in
        [(twice.as_str(), "duplicate field"), (unknown.trim_end_matches(','), "unknown field")]
    {
        let body = format!(r#"{{"metadata":{{"name":"a"}},"{long}":{{{fields}}}}}"#);
        for validation in ["Strict", "Warn"] {
            let path = format!("{CMS}?dryRun=All&fieldValidation={validation}");
            let answer = send(&rig, "POST", &path, JSON, &body).await;
            let warned = answer.headers.get_all("warning").iter().map(|warning| warning.len()).sum::<usize>();
            let told = if validation == "Strict" { message(&answer).len() } else { warned };
            assert!(answer.code == if validation == "Strict" { 400 } else { 201 }, "{}", answer.code);
            assert!((1..=200_000).contains(&told), "{expect}, {validation}: {told}");
        }
    }
}

#[tokio::test]
async fn bodies_are_bounded_in_how_many_values_they_have() {
    let rig = Rig::start().await;
    rig.post(CMS, &json!({"metadata": {"name": "a"}})).await;
    let one = format!("{CMS}/a");
    let many = format!(r#"{{"metadata":{{"name":"b"}},"x":[{}]}}"#, vec!["{}"; 300_000].join(","));
    // Ten times ten times … the same list, in a few hundred bytes.
    let mut aliases = String::from("metadata: {name: b}\nl0: &l0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n");
    for level in 1..8 {
        let below = vec![format!("*l{}", level - 1); 10].join(", ");
        _ = writeln!(aliases, "l{level}: &l{level} [{below}]");
    }
    let applied = format!("apiVersion: v1\nkind: ConfigMap\n{aliases}");
    let apply = format!("{CMS}/b?fieldManager=me");
    for (method, path, content_type, body) in [
        ("POST", CMS, JSON, &many),
        ("PUT", &*one, JSON, &many),
        ("PATCH", &*one, MERGE, &many),
        ("POST", CMS, YAML, &aliases),
        ("PATCH", &*apply, APPLY, &applied),
    ] {
        let answer = send(&rig, method, path, content_type, body).await;
        assert_eq!(answer.code, 400, "{method} {content_type}: {}", answer.text);
        assert!(answer.text.len() < 2000, "{}", answer.text);
    }
    // A long text, again and again.
    let text =
        format!("metadata: {{name: b}}\nt: &t {}\nl: [{}]\n", "x".repeat(100_000), vec!["*t"; 90].join(", "));
    let answer = send(&rig, "POST", CMS, YAML, &text).await;
    assert_eq!(answer.code, 400, "{}", answer.text);
}

/// Objects of a user's kind that are wrong in every item.
#[tokio::test]
async fn of_many_errors_the_first_are_told_and_how_many_there_are() {
    let rig = Rig::start().await;
    let schema = json!({"type": "object", "properties": {
        "list": {"type": "array", "items": {"type": "string"}},
    }});
    let definition = json!({"metadata": {"name": "lists.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "lists", "kind": "Things"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
    }});
    rig.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await;
    let list = json!({"apiVersion": "example.com/v1", "kind": "Things", "metadata": {"name": "a"}, "list": vec![1; 50_000]});
    let path = "/apis/example.com/v1/namespaces/default/lists";
    let answer = send(&rig, "POST", path, JSON, &list.to_string()).await;
    assert_eq!(answer.code, 422, "{}", answer.text);
    let causes = answer.json["details"]["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 101);
    assert_eq!(causes[99]["field"], "list[99]");
    assert_eq!(causes[100]["message"], "Invalid value: 49900 more errors are not shown");
}

#[tokio::test]
async fn a_default_is_not_put_in_beyond_measure() {
    let rig = Rig::start().await;
    let text = json!({"type": "string", "default": "x".repeat(100_000)});
    let items = json!({"type": "object", "properties": {"text": text}});
    let schema = json!({"type": "object", "properties": {"list": {"type": "array", "items": items}}});
    let definition = json!({"metadata": {"name": "longs.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "longs", "kind": "Long"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
    }});
    rig.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await;
    let path = "/apis/example.com/v1/namespaces/default/longs";
    let long = |items: usize| json!({"apiVersion": "example.com/v1", "kind": "Long", "metadata": {"name": format!("l-{items}")}, "list": vec![json!({}); items]});
    rig.post(path, &long(20)).await;
    let answer = send(&rig, "POST", path, JSON, &long(40).to_string()).await;
    assert_eq!(answer.code, 413, "longer than an object may be: {}", message(&answer));
    let answer = send(&rig, "POST", path, JSON, &long(100_000).to_string()).await;
    assert_eq!(answer.code, 400, "{}", message(&answer));
    assert!(message(&answer).contains("defaults of the schema would add more than"), "{}", message(&answer));
}

#[tokio::test]
async fn a_role_gives_no_more_rights_than_can_be_compared() {
    let rig = Rig::start().await;
    let rules = json!([{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}, {"apiGroups": ["*"], "resources": ["roles"], "verbs": ["get", "create", "update", "patch"]}]);
    rig.post(ROLES, &json!({"metadata": {"name": "most"}, "rules": rules})).await;
    let binding = json!({
        "metadata": {"name": "alice"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "most"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}],
    });
    rig.post(&ROLES.replace("roles", "rolebindings"), &binding).await;
    let many = |prefix: &str| (0..100).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
    let role = |name: &str, rule: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": [rule]})
            .to_string()
    };
    let huge = json!({"apiGroups": many("g"), "resources": many("r"), "resourceNames": many("n"), "verbs": many("v")});
    let small = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
    let as_alice = async |method: &str, path: &str, content_type: &str, body: &str| {
        rig.call(method, path, &[("impersonate-user", "alice"), ("content-type", content_type)], body).await
    };
    assert_eq!(as_alice("POST", ROLES, JSON, &role("r", small)).await.code, 201);
    let one = format!("{ROLES}/r");
    for (method, path, content_type, body) in [
        ("POST", ROLES.to_owned(), JSON, role("new", huge.clone())),
        ("PUT", one.clone(), JSON, role("r", huge.clone())),
        ("PATCH", one.clone(), MERGE, json!({"rules": [huge]}).to_string()),
        ("PATCH", format!("{one}?fieldManager=me&force=true"), APPLY, role("r", huge.clone())),
    ] {
        let answer = as_alice(method, &path, content_type, &body).await;
        assert_eq!(answer.code, 422, "{method} {content_type}: {}", answer.text);
        assert_eq!(answer.json["details"]["causes"][0]["reason"], "FieldValueTooMany", "{}", answer.text);
    }
    // Who may do all is not asked.
    assert_eq!(send(&rig, "PUT", &one, JSON, &role("r", huge)).await.code, 200);
}

#[tokio::test]
async fn an_object_has_no_more_managers_than_it_may() {
    let rig = Rig::with_limits(Limits { managers_max: 3, ..Limits::default() }).await;
    rig.post(CMS, &json!({"metadata": {"name": "a"}})).await;
    let one = format!("{CMS}/a");
    let apply = async |manager: usize| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {format!("k{manager}"): "v"}, "metadata": {"name": "a"}});
        send(&rig, "PATCH", &format!("{one}?fieldManager=m{manager}"), APPLY, &map.to_string()).await
    };
    for manager in 0..3 {
        assert_eq!(apply(manager).await.code, 200);
    }
    let fourth = apply(3).await;
    assert_eq!(fourth.code, 422, "{}", fourth.text);
    assert!(message(&fourth).contains("metadata.managedFields: Too many: 4: must have at most 3 items"));
    assert_eq!(apply(1).await.code, 200, "one that is there may go on");
    let entry = |number: usize| json!({"manager": format!("w{number}"), "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}});
    let wish = json!({"metadata": {"managedFields": (0..10_000).map(entry).collect::<Vec<_>>()}});
    let refused = send(&rig, "PATCH", &one, MERGE, &wish.to_string()).await;
    assert_eq!(refused.code, 422, "{}", message(&refused));
    // Fewer are always allowed.
    let fewer = json!({"metadata": {"managedFields": [entry(1)]}});
    assert_eq!(send(&rig, "PATCH", &one, MERGE, &fewer.to_string()).await.code, 200);
}

#[tokio::test]
async fn a_patch_is_not_more_work_than_it_may_be() {
    let rig = Rig::with_limits(Limits { json_patch_steps_max: 100_000, ..Limits::default() }).await;
    let finalizers: Vec<String> = (0..1000).map(|number| format!("example.com/f{number}")).collect();
    rig.post(CMS, &json!({"metadata": {"name": "a", "finalizers": finalizers}})).await;
    let swing = json!({"op": "move", "from": "/metadata/finalizers/0", "path": "/metadata/finalizers/-"});
    let answer =
        send(&rig, "PATCH", &format!("{CMS}/a"), JSON_PATCH, &json!(vec![swing; 1000]).to_string()).await;
    assert_eq!(answer.code, 422, "{}", answer.text);
    assert!(message(&answer).contains("too much work for one patch"), "{}", answer.text);
}

#[tokio::test]
async fn the_largest_object_is_stored_backed_up_restored_and_deleted() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let max = 3 << 20;
    let object = |bytes: usize| json!({"metadata": {"name": "a", "finalizers": ["example.com/f"]}, "binaryData": {}, "data": {"k": "x".repeat(bytes)}});
    let open = async |dir: &std::path::Path| Rig::of(ApiServer::open(Options::new(dir)).await.unwrap()).await;
    let rig = open(before.path()).await;
    // The kind takes a megabyte; a user's kind takes what the server does.
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"metadata": {"name": "larges.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "larges", "kind": "Large"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
    }});
    rig.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await;
    let larges = "/apis/example.com/v1/namespaces/default/larges";
    let large = |bytes: usize| {
        let mut object = object(bytes);
        object["apiVersion"] = "example.com/v1".into();
        object["kind"] = "Large".into();
        object.to_string()
    };
    let too_large = send(&rig, "POST", larges, JSON, &large(max - 250)).await;
    assert_eq!(
        (too_large.code, &too_large.json["reason"]),
        (413, &json!("RequestEntityTooLarge")),
        "with what is added"
    );
    let made = send(&rig, "POST", larges, JSON, &large(max - 1000)).await;
    assert_eq!(made.code, 201, "{}", message(&made));
    let one = format!("{larges}/a");
    let grown = json!({"metadata": {"annotations": {"a": "x".repeat(2000)}}}).to_string();
    assert_eq!(send(&rig, "PATCH", &one, MERGE, &grown).await.code, 413, "it grows too long");

    let backup = rig.call("GET", "/ebb/backup?withKey=true", &[], "").await;
    rig.server.close().await.unwrap();
    restore(backup.text.as_bytes(), after.path(), None).unwrap();
    // Even where less is allowed by now, it can be marked, shrink, and go.
    let limits = Limits { object_bytes_max: 1000, ..Limits::default() };
    let rig = Rig::of(ApiServer::open(Options { limits, ..Options::new(after.path()) }).await.unwrap()).await;
    let deleted = rig.call("DELETE", &one, &[], "").await;
    assert_eq!(deleted.code, 200, "{}", message(&deleted));
    let shrunk = send(&rig, "PATCH", &one, MERGE, r#"{"data":{"k":"x"}}"#).await;
    assert_eq!(shrunk.code, 200, "{}", message(&shrunk));
    let grown = send(&rig, "PATCH", &one, MERGE, &json!({"data": {"k": "x".repeat(2000)}}).to_string()).await;
    assert_eq!(grown.code, 413, "{}", message(&grown));
    let freed = send(&rig, "PATCH", &one, MERGE, r#"{"metadata":{"finalizers":null}}"#).await;
    assert_eq!(freed.code, 200, "{}", message(&freed));
    assert_eq!(rig.call("GET", &one, &[], "").await.code, 404);
}

#[tokio::test]
async fn an_object_that_nobody_holds_is_gone_when_it_is_deleted() {
    let rig = Rig::start().await;
    let empty = json!({"metadata": {"name": "a", "finalizers": [], "ownerReferences": [], "labels": {}, "annotations": {}}});
    let made = rig.post(CMS, &empty).await;
    for field in ["finalizers", "ownerReferences", "labels", "annotations"] {
        assert_eq!(made["metadata"].get(field), None, "{field}");
    }
    let one = format!("{CMS}/a");
    assert_eq!(rig.call("DELETE", &one, &[], "").await.code, 200);
    assert_eq!(rig.call("GET", &one, &[], "").await.code, 404);
}

#[tokio::test]
async fn a_definition_has_no_more_versions_than_it_may() {
    let rig = Rig::start().await;
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let version = |number: usize| json!({"name": format!("v{number}"), "served": true, "storage": number == 1, "schema": schema});
    let definition = |versions: usize| {
        let versions: Vec<_> = (1..=versions).map(version).collect();
        json!({"metadata": {"name": "manies.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "manies", "kind": "Many"}, "versions": versions,
        }})
    };
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let refused = send(&rig, "POST", definitions, JSON, &definition(33).to_string()).await;
    assert_eq!(refused.code, 422, "{}", refused.text);
    assert!(
        message(&refused).contains("spec.versions: Too many: 33: must have at most 32 items"),
        "{}",
        refused.text
    );
    rig.post(definitions, &definition(32)).await;
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_again() {
    let limits = Limits { reads_in_flight_max: 0, writes_in_flight_max: 0, ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    for (method, path) in
        [("GET", CMS), ("POST", CMS), ("GET", "/apis"), ("DELETE", "/api/v1/namespaces/default/pods/p")]
    {
        let answer = rig.call(method, path, &[], "").await;
        assert_eq!(
            (answer.code, &answer.json["reason"]),
            (429, &json!("TooManyRequests")),
            "{method} {path}"
        );
        assert_eq!(answer.headers["retry-after"], "1");
    }
    // Who has no rights learns that first, and whoever asks how the server is gets an answer.
    assert_eq!(rig.call_as_stranger(CMS).await.code, 403);
    assert_eq!(rig.call("GET", "/readyz", &[], "").await.code, 200);
    rig.watch(&format!("{CMS}?watch=true"), &[]).await;
}
