use serde_json::{Value, json};

use super::*;
use crate::kinds;

fn check(object: Value, expect: bool) {
    let text = |field: &str| object[field].as_str().unwrap().to_owned();
    let kind = kinds::by_kind(&text("apiVersion"), &text("kind")).unwrap();
    let typed = kind.decode_value(object.clone()).unwrap();
    assert_eq!(is_provided(&*typed), expect, "{object}");
}

#[test]
fn parts_of_knative_are_told_from_what_users_have() {
    let named = |namespace: &str, key: &str, value: &str| json!({"name": "x", "namespace": namespace, "labels": {key: value}});
    let cases = [
        (named("knative-serving", NAME, "knative-serving"), true),
        (named("knative-eventing", NAME, "knative-eventing"), true),
        (named("kourier-system", "networking.knative.dev/ingress-provider", "kourier"), true),
        (named("knative-serving", "serving.knative.dev/release", "v0.20"), true),
        (named("knative-serving", NAME, "mine"), false),
        (named("default", NAME, "knative-serving"), false),
    ];
    let kinds = [
        ("apps/v1", "Deployment", true),
        ("apps/v1", "StatefulSet", true),
        ("autoscaling/v1", "HorizontalPodAutoscaler", true),
        ("autoscaling/v2", "HorizontalPodAutoscaler", true),
        ("policy/v1", "PodDisruptionBudget", true),
        ("batch/v1", "Job", true),
        ("v1", "ConfigMap", false),
    ];
    for (metadata, expect) in cases {
        for (version, kind, runs) in kinds {
            let object = json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {}});
            check(object, expect && runs);
        }
    }
}

#[test]
fn webhooks_that_lead_to_users_are_users() {
    let to = |namespace: &str| json!({"name": "a.b.c", "clientConfig": {"service": {"name": "webhook", "namespace": namespace}}});
    let url = json!({"name": "a.b.c", "clientConfig": {"url": "https://example.com"}});
    let cases = [
        (json!([to("knative-serving"), to("knative-eventing")]), true),
        (json!([to("knative-serving"), to("default")]), false),
        (json!([to("knative-serving"), url]), false),
        (json!([]), false),
    ];
    for (webhooks, expect) in cases {
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let (version, metadata) = ("admissionregistration.k8s.io/v1", json!({"name": "x"}));
            let webhooks = webhooks.clone();
            check(
                json!({"apiVersion": version, "kind": kind, "metadata": metadata, "webhooks": webhooks}),
                expect,
            );
        }
    }
}
