//! Kinds that only controllers write.

use serde_json::{Value, json};

use super::{check_refused, create};

fn object(group: &str, kind: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("{group}.internal.knative.dev/v1alpha1"), "kind": kind,
        "metadata": {"name": "a", "namespace": "default"}, "spec": spec,
    })
}

fn ingress(splits: Value) -> Value {
    let rule = json!({"hosts": ["a.example.com"], "http": {"paths": [{"splits": splits}]}});
    object("networking", "Ingress", json!({"rules": [rule]}))
}

fn split(percent: i64) -> Value {
    json!({"serviceName": "a", "serviceNamespace": "default", "servicePort": 80, "percent": percent})
}

#[test]
fn refused() {
    check_refused([
        (object("networking", "Ingress", json!({})), "missing field(s): spec.rules"),
        (
            ingress(json!([split(40), split(50)])),
            "traffic split percentage must total to 100, but was 90: spec.rules[0].http.paths[0].splits",
        ),
        (
            object(
                "networking",
                "ServerlessService",
                json!({"objectRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}),
            ),
            "missing field(s): spec.protocolType",
        ),
        (
            object(
                "networking",
                "Certificate",
                json!({"dnsNames": ["a.example.com"], "domain": "other.org", "secretName": "s"}),
            ),
            "invalid value: other.org: spec.domain",
        ),
        (object("caching", "Image", json!({})), "missing field(s): spec.image"),
        (
            object(
                "autoscaling",
                "PodAutoscaler",
                json!({"protocolType": "tcp", "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment"}}),
            ),
            "invalid value: tcp: spec.protocolType\nmissing field(s): spec.scaleTargetRef.name",
        ),
        (
            object("autoscaling", "Metric", json!({"stableWindow": -1})),
            "invalid value: -1: spec.stableWindow",
        ),
    ]);
}

#[test]
fn defaults() {
    let stored = create(&ingress(json!([split(0)]))).unwrap();
    assert_eq!(stored["spec"]["httpOption"], "Enabled");
    assert_eq!(stored["spec"]["rules"][0]["visibility"], "ExternalIP");
    assert_eq!(stored["spec"]["rules"][0]["http"]["paths"][0]["splits"][0]["percent"], 100);
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"});
    let pa =
        object("autoscaling", "PodAutoscaler", json!({"protocolType": "http1", "scaleTargetRef": target}));
    assert_eq!(
        create(&pa).unwrap()["metadata"]["annotations"],
        json!({
            "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev",
            "autoscaling.knative.dev/metric": "concurrency",
        })
    );
}
