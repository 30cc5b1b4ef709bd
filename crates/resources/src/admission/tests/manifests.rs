//! Services as users write them, and what is stored.

use serde_json::{Value, json};

use super::{create, merge, service, update};

const V1: &str = "gcr.io/my-project/order-service:v1";

fn named(name: &str, spec: Value) -> Value {
    merge(service(spec), json!({"metadata": {"name": name}}))
}

/// The container as it is stored when it gives no more than `given`.
fn stored(given: Value) -> Value {
    let defaults = json!({
        "name": "user-container",
        "image": V1,
        "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
        "resources": {},
    });
    merge(defaults, given)
}

fn spec(container: Value) -> Value {
    json!({"containerConcurrency": 0, "timeoutSeconds": 300, "enableServiceLinks": false, "containers": [container]})
}

fn latest() -> Value {
    json!([{"latestRevision": true, "percent": 100}])
}

#[test]
fn each_gets_its_defaults() {
    let minimal = json!({"containers": [{"image": V1}]});
    let cases = [
        (
            "a name for the revision",
            json!({"template": {"metadata": {"name": "app-v1"}, "spec": minimal}}),
            json!({"template": {"metadata": {"name": "app-v1"}, "spec": spec(stored(json!({})))}, "traffic": latest()}),
        ),
        (
            "scale, port, resources, env, traffic",
            json!({
                "template": {
                    "metadata": {"annotations": {
                        "autoscaling.knative.dev/minScale": "1",
                        "autoscaling.knative.dev/maxScale": "100",
                    }},
                    "spec": {"containers": [{
                        "image": V1,
                        "ports": [{"containerPort": 8080}],
                        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                        "env": [{"name": "LOG_LEVEL", "value": "INFO"}],
                    }]},
                },
                "traffic": latest(),
            }),
            json!({
                "template": {
                    "metadata": {"annotations": {
                        "autoscaling.knative.dev/minScale": "1",
                        "autoscaling.knative.dev/maxScale": "100",
                    }},
                    "spec": spec(stored(json!({
                        "ports": [{"containerPort": 8080}],
                        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                        "env": [{"name": "LOG_LEVEL", "value": "INFO"}],
                    }))),
                },
                "traffic": latest(),
            }),
        ),
        (
            "concurrency",
            json!({"template": {"spec": merge(minimal.clone(), json!({"containerConcurrency": 50, "timeoutSeconds": 300}))}}),
            json!({"template": {"spec": merge(spec(stored(json!({}))), json!({"containerConcurrency": 50}))}, "traffic": latest()}),
        ),
        (
            "an HTTP probe with a period",
            json!({"template": {"spec": {"containers": [{"image": V1, "readinessProbe": {
                "httpGet": {"path": "/healthz", "port": 8080},
                "initialDelaySeconds": 5, "periodSeconds": 5, "failureThreshold": 3,
            }}]}}}),
            json!({"template": {"spec": spec(json!({
                "name": "user-container", "image": V1, "resources": {},
                "readinessProbe": {
                    "httpGet": {"path": "/healthz", "port": 8080},
                    "initialDelaySeconds": 5, "periodSeconds": 5, "failureThreshold": 3,
                    "successThreshold": 1, "timeoutSeconds": 1,
                },
            }))}, "traffic": latest()}),
        ),
        (
            "limits",
            json!({"template": {"spec": {"containers": [{"image": V1, "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"},
            }}]}}}),
            json!({"template": {"spec": spec(stored(json!({"resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"},
            }})))}, "traffic": latest()}),
        ),
        (
            "a canary",
            json!({
                "template": {"metadata": {"name": "app-v2"}, "spec": minimal},
                "traffic": [{"revisionName": "app-v1", "percent": 90}, {"latestRevision": true, "percent": 10}],
            }),
            json!({
                "template": {"metadata": {"name": "app-v2"}, "spec": spec(stored(json!({})))},
                "traffic": [
                    {"revisionName": "app-v1", "latestRevision": false, "percent": 90},
                    {"latestRevision": true, "percent": 10},
                ],
            }),
        ),
        (
            "blue and green",
            json!({
                "template": {"metadata": {"name": "app-v2"}, "spec": minimal},
                "traffic": [
                    {"latestRevision": false, "revisionName": "app-v1", "percent": 0},
                    {"latestRevision": true, "percent": 100},
                ],
            }),
            json!({
                "template": {"metadata": {"name": "app-v2"}, "spec": spec(stored(json!({})))},
                "traffic": [
                    {"latestRevision": false, "revisionName": "app-v1", "percent": 0},
                    {"latestRevision": true, "percent": 100},
                ],
            }),
        ),
    ];
    for (what, given, expect) in cases {
        let object = create(&service(given)).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(object["spec"], expect, "{what}");
        assert_eq!(
            object["metadata"]["annotations"],
            json!({"serving.knative.dev/creator": "jane", "serving.knative.dev/lastModifier": "jane"}),
            "{what}"
        );
        assert_eq!(update(&object, &object).as_ref(), Ok(&object), "{what}: admitted twice");
    }
}

#[test]
fn one_over_another_as_apply_does_it() {
    let first = json!({"template": {"metadata": {"name": "order-service-v1"}, "spec": {"containers": [{"image": V1}]}}});
    let first = create(&named("order-service", first)).unwrap();
    let canary = json!({
        "template": {"metadata": {"name": "order-service-v2"}, "spec": {"containers": [{"image": "order-service:v2"}]}},
        "traffic": [{"revisionName": "order-service-v1", "percent": 90}, {"latestRevision": true, "percent": 10}],
    });
    let canary = update(&first, &merge(first.clone(), json!({"spec": canary}))).unwrap();
    assert_eq!(canary["metadata"]["annotations"]["serving.knative.dev/creator"], "jane");
    assert_eq!(canary["metadata"]["annotations"]["serving.knative.dev/lastModifier"], "joe");
    assert_eq!(canary["spec"]["template"]["spec"]["containers"][0]["name"], "user-container");
    // Only the traffic changes: the template keeps its name.
    let green = json!([{"revisionName": "order-service-v1", "latestRevision": false, "percent": 0}, {"latestRevision": true, "percent": 100}]);
    assert!(update(&canary, &merge(canary.clone(), json!({"spec": {"traffic": green}}))).is_ok());
}

#[test]
fn metric_and_burst_by_annotation() {
    let annotations = json!({
        "autoscaling.knative.dev/metric": "concurrency",
        "autoscaling.knative.dev/target": "100",
        "autoscaling.knative.dev/targetBurstCapacity": "200",
    });
    let spec = json!({"template": {"metadata": {"annotations": annotations}, "spec": {"containers": [{"image": V1}]}}});
    assert!(create(&service(spec)).is_ok());
}
