//! OpenAPI v2: all kinds in one document.

use serde_json::{Value, json};

use crate::rig::Rig;

const DOCUMENT: &str = "/openapi/v2";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Every text that is a reference.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(to) if name == "$ref" => found.push(to),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn one_document_of_v2_has_every_kind_and_all_that_they_refer_to() {
    let rig = Rig::start().await;
    let before = rig.call("GET", DOCUMENT, &[("accept", "application/json")], "").await;
    assert_eq!((before.code, &before.json["swagger"]), (200, &json!("2.0")), "{}", before.text);

    let size = json!({"type": "integer", "nullable": true, "description": "How large."});
    let spec = json!({"type": "object", "properties": {"size": size}});
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    let version =
        json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    let names = json!({"plural": "crontabs", "kind": "CronTab"});
    let spec =
        json!({"group": "stable.example.com", "scope": "Namespaced", "names": names, "versions": [version]});
    let crd = json!({"metadata": {"name": "crontabs.stable.example.com"}, "spec": spec});
    rig.post(DEFINITIONS, &crd).await;

    let tag = before.headers["etag"].to_str().unwrap();
    let answer = rig.call("GET", DOCUMENT, &[("if-none-match", tag)], "").await;
    assert_eq!(answer.code, 200, "another kind makes another document");
    let document = &answer.json;
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let name = reference.strip_prefix("#/definitions/").unwrap_or_else(|| panic!("{reference}"));
        assert!(document["definitions"].get(name).is_some(), "{name}");
    }
    for (name, group, kind) in [
        ("io.k8s.api.core.v1.Pod", "", "Pod"),
        ("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", "autoscaling", "HorizontalPodAutoscaler"),
        ("io.k8s.api.events.v1.Event", "events.k8s.io", "Event"),
        ("dev.knative.serving.v1.Service", "serving.knative.dev", "Service"),
        ("com.example.stable.v1.CronTab", "stable.example.com", "CronTab"),
    ] {
        let of = &document["definitions"][name]["x-kubernetes-group-version-kind"];
        assert_eq!(*of, json!([{"group": group, "version": "v1", "kind": kind}]), "{name}");
    }
    let cron_tab = &document["definitions"]["com.example.stable.v1.CronTab"]["properties"];
    assert_eq!(cron_tab["spec"]["properties"]["size"], json!({"description": "How large."}));
    let put = &document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"]["put"];
    let own = json!({"$ref": "#/definitions/com.example.stable.v1.CronTab"});
    assert_eq!(put["responses"]["200"]["schema"], own, "{put}");
    let body = put["parameters"].as_array().unwrap().last().unwrap();
    assert_eq!((&body["in"], &body["schema"]), (&json!("body"), &own));

    let tag = answer.headers["etag"].to_str().unwrap();
    assert_eq!(rig.call("GET", DOCUMENT, &[("if-none-match", tag)], "").await.code, 304);
    let refused = rig.call("GET", DOCUMENT, &[("accept", "application/yaml")], "").await;
    assert_eq!(refused.code, 406, "{}", refused.text);
    assert!(refused.text.contains("application/json"), "{}", refused.text);
    assert_eq!(rig.call("POST", DOCUMENT, &[], "{}").await.code, 405);
}

#[tokio::test]
async fn who_wants_protobuf_of_v2_is_told_of_no_kind() {
    let rig = Rig::start().await;
    let protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = rig.call("GET", DOCUMENT, &[("accept", protobuf)], "").await;
    assert_eq!(answer.code, 200, "{}", answer.text);
    let expect = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    assert_eq!(answer.headers["content-type"], expect);
    assert!(answer.text.contains("2.0") && !answer.text.contains("io.k8s"), "{}", answer.text);
}
