use resources::serving::Service;

use super::*;

fn service() -> Service {
    serde_json::from_value(json!({
        "metadata": { "name": "hello", "namespace": "default", "annotations": { "on": "true", "n": "007" } },
        "status": { "url": "http://hello.default.localhost" },
    }))
    .unwrap()
}

fn printed(format: &str) -> String {
    format.parse::<Format>().unwrap().object(&service(), service().status.url.as_deref()).unwrap()
}

#[test]
fn one_object() {
    assert_eq!(printed("name"), "service.serving.knative.dev/hello\n");
    assert_eq!(printed("url"), "http://hello.default.localhost\n");
    assert_eq!(printed("jsonpath={.metadata.name}"), "hello");
    let json = printed("json");
    assert!(
        json.starts_with("{\n    \"apiVersion\": \"serving.knative.dev/v1\",\n    \"kind\": \"Service\","),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), to_value(&service()));
}

#[test]
fn yaml_reads_back_as_what_it_was() {
    let yaml = printed("YAML");
    assert!(
        yaml.starts_with("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  annotations:\n"),
        "{yaml}"
    );
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), to_value(&service()));
}

#[test]
fn lists() {
    let list = |format: &str| format.parse::<Format>().unwrap().list(&[service(), service()]);
    assert_eq!(
        list("name").unwrap(),
        "service.serving.knative.dev/hello\nservice.serving.knative.dev/hello\n"
    );
    assert_eq!(list("jsonpath={.kind} {.items[*].metadata.name}").unwrap(), "ServiceList hello hello");
    assert_eq!(
        list("url").unwrap_err().to_string(),
        "a list has no URL; use -o json|yaml|name|jsonpath=TEMPLATE"
    );
}

#[test]
fn unknown_formats_are_refused() {
    let check = |format: &str, expect: &str| assert_eq!(format.parse::<Format>().unwrap_err(), expect);
    check("xml", "one of json|yaml|name|jsonpath=TEMPLATE|url is expected");
    check("jsonpath", "jsonpath needs a template: -o jsonpath='{.status.url}'");
}
