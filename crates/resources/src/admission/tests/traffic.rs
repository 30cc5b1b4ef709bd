//! Traffic of Services and Routes.

use serde_json::{Value, json};

use super::{check_refused, create, service};

fn of_service(traffic: Value) -> Value {
    service(json!({"template": {"spec": {"containers": [{"image": "app"}]}}, "traffic": traffic}))
}

fn of_route(traffic: Value) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Route",
        "metadata": {"name": "app", "namespace": "default"}, "spec": {"traffic": traffic},
    })
}

#[test]
fn refused() {
    check_refused([
        (
            of_service(
                json!([{"revisionName": "app-1", "percent": 80}, {"latestRevision": true, "percent": 10}]),
            ),
            "Traffic targets sum to 90, want 100: spec.traffic",
        ),
        (
            of_service(json!([{"percent": 101}])),
            "Traffic targets sum to 101, want 100: spec.traffic\nexpected 0 <= 101 <= 100: spec.traffic[0].percent",
        ),
        (
            of_service(json!([{"percent": 110}, {"percent": -10}])),
            "expected 0 <= -10 <= 100: spec.traffic[1].percent\nexpected 0 <= 110 <= 100: spec.traffic[0].percent",
        ),
        (
            of_service(json!([{"configurationName": "app", "percent": 100}])),
            "must not set the field(s): spec.traffic[0].configurationName",
        ),
        (
            of_service(json!([{"revisionName": "app-1", "latestRevision": true, "percent": 100}])),
            "may not set revisionName \"app-1\" when latestRevision is true: spec.traffic[0].latestRevision",
        ),
        (
            of_service(json!([{"latestRevision": false, "percent": 100}])),
            "may not set revisionName \"\" when latestRevision is false: spec.traffic[0].latestRevision",
        ),
        (
            of_service(json!([{"tag": "a", "percent": 50}, {"tag": "a", "percent": 50}])),
            "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag",
        ),
        (
            of_service(json!([{"tag": "1a", "percent": 100}])),
            "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters \
             or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
             'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: spec.traffic.tag[0]",
        ),
        (
            of_service(json!([{"percent": 100, "url": "http://x"}])),
            "must not set the field(s): spec.traffic[0].url",
        ),
        (
            of_route(json!([{"percent": 100}])),
            "expected exactly one, got neither: spec.traffic[0].configurationName, spec.traffic[0].revisionName",
        ),
        (
            of_route(json!([{"percent": 100, "revisionName": "a", "configurationName": "b"}])),
            "expected exactly one, got both: spec.traffic[0].configurationName, spec.traffic[0].revisionName",
        ),
        (of_route(json!([])), "Traffic targets sum to 0, want 100: spec.traffic"),
    ]);
}

#[test]
fn a_route_may_follow_a_configuration() {
    let route = create(&of_route(json!([{"percent": 100, "configurationName": "app"}]))).unwrap();
    assert_eq!(
        route["spec"]["traffic"],
        json!([{"percent": 100, "configurationName": "app", "latestRevision": true}])
    );
}
