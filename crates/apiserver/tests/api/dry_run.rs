//! `dryRun=All` and `fieldValidation=Strict`, by every verb that writes.

use serde_json::{Value, json};

use crate::rig::Rig;

const CMS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

async fn rig() -> Rig {
    let rig = Rig::start().await;
    for name in ["a", "b"] {
        rig.post(CMS, &json!({"metadata": {"name": name, "labels": {"l": name}}, "data": {"k": "v"}})).await;
    }
    let template =
        json!({"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template});
    rig.post(DEPLOYMENTS, &json!({"metadata": {"name": "d"}, "spec": spec})).await;
    rig
}

/// Everything that is there, with the version of it all.
async fn state(rig: &Rig) -> [Value; 2] {
    [rig.call("GET", CMS, &[], "").await.json, rig.call("GET", DEPLOYMENTS, &[], "").await.json]
}

#[tokio::test]
async fn a_dry_run_answers_as_if_and_changes_nothing() {
    let rig = rig().await;
    let before = state(&rig).await;
    let (one, deployment) = (format!("{CMS}/a"), format!("{DEPLOYMENTS}/d"));
    let (status, scale) = (format!("{deployment}/status"), format!("{deployment}/scale"));
    // (method, path, what is sent, what the answer shows and where)
    let cases: &[(&str, &str, &str, &str, &str, Value)] = &[
        ("POST", CMS, JSON, r#"{"metadata":{"name":"c"}}"#, "/metadata/name", json!("c")),
        ("PUT", &one, JSON, r#"{"metadata":{"name":"a"},"data":{"k":"put"}}"#, "/data/k", json!("put")),
        ("PATCH", &one, MERGE, r#"{"data":{"k":"merged"}}"#, "/data/k", json!("merged")),
        ("PATCH", &one, JSON_PATCH, r#"[{"op":"remove","path":"/data/k"}]"#, "/data/k", Value::Null),
        ("PATCH", &one, STRATEGIC, r#"{"data":{"k":"strategic"}}"#, "/data/k", json!("strategic")),
        ("PATCH", &deployment, MERGE, r#"{"spec":{"replicas":5}}"#, "/metadata/generation", json!(2)),
        ("PATCH", &status, MERGE, r#"{"status":{"replicas":5}}"#, "/status/replicas", json!(5)),
        ("PATCH", &scale, MERGE, r#"{"spec":{"replicas":5}}"#, "/spec/replicas", json!(5)),
        (
            "PUT",
            &scale,
            JSON,
            r#"{"metadata":{"name":"d"},"spec":{"replicas":6}}"#,
            "/spec/replicas",
            json!(6),
        ),
        ("DELETE", &one, JSON, "", "/status", json!("Success")),
        ("DELETE", CMS, JSON, "", "/items/1/metadata/name", json!("b")),
    ];
    for (method, path, content_type, body, pointer, expect) in cases {
        let answer =
            rig.call(method, &format!("{path}?dryRun=All"), &[("content-type", content_type)], body).await;
        assert!(answer.code < 300, "{method} {path} {content_type}: {}", answer.text);
        let found = answer.json.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found, *expect, "{method} {path} {content_type}: {}", answer.text);
        assert_eq!(state(&rig).await, before, "{method} {path} {content_type}");
        let no_such =
            rig.call(method, &format!("{path}?dryRun=Some"), &[("content-type", content_type)], body).await;
        assert_eq!((no_such.code, &no_such.json["reason"]), (422, &json!("Invalid")), "{method} {path}");
    }
    // Deletes say it in their body, too.
    for path in [&*one, CMS] {
        for (wish, code) in [("All", 200), ("Some", 422)] {
            let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": [wish]}).to_string();
            assert_eq!(rig.call("DELETE", path, &[], &body).await.code, code, "{path} {wish}");
            assert_eq!(state(&rig).await, before, "{path} {wish}");
        }
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_by_every_verb_under_strict_validation() {
    let rig = rig().await;
    let before = state(&rig).await;
    let one = format!("{CMS}/a");
    for (method, path, content_type, body, code) in [
        ("POST", CMS, JSON, r#"{"metadata":{"name":"c"},"dta":{}}"#, 400),
        ("PUT", &one, JSON, r#"{"metadata":{"name":"a"},"dta":{}}"#, 400),
        ("PATCH", &one, MERGE, r#"{"dta":{}}"#, 422),
        ("PATCH", &one, JSON_PATCH, r#"[{"op":"add","path":"/dta","value":{}}]"#, 422),
        ("PATCH", &one, STRATEGIC, r#"{"dta":{}}"#, 422),
    ] {
        let headers = [("content-type", content_type)];
        let strict = rig.call(method, &format!("{path}?fieldValidation=Strict"), &headers, body).await;
        assert_eq!((strict.code, &strict.json["kind"]), (code, &json!("Status")), "{method} {content_type}");
        let message = strict.json["message"].as_str().unwrap();
        assert!(message.contains(r#"strict decoding error: unknown field "dta""#), "{method}: {message}");
        assert_eq!(state(&rig).await, before, "{method} {content_type}");
        let told = rig.call(method, &format!("{path}?fieldValidation=Warn&dryRun=All"), &headers, body).await;
        assert!(told.code < 300, "{method}: {}", told.text);
        assert_eq!(told.headers["warning"], r#"299 - "unknown field \"dta\"""#, "{method} {content_type}");
    }
}
