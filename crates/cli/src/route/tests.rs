use serde_json::json;

use super::*;

fn route() -> Route {
    serde_json::from_value(json!({
        "metadata": {
            "name": "hello",
            "namespace": "default",
            "creationTimestamp": "2026-11-20T11:00:00Z",
            "ownerReferences": [
                { "kind": "Service", "apiVersion": "serving.knative.dev/v1", "name": "hello", "uid": "" },
            ],
        },
        "status": {
            "url": "http://hello.default.localhost",
            "traffic": [
                { "revisionName": "hello-00002", "percent": 100, "latestRevision": true },
                { "revisionName": "hello-00001", "tag": "old", "url": "http://old-hello.default.localhost" },
            ],
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T11:00:10Z" }],
        },
    }))
    .unwrap()
}

#[test]
fn a_route_shows_its_targets() {
    assert_eq!(
        describe(&route(), false, "2026-11-20T12:00:00Z".parse().unwrap()),
        "\
Name:       hello
Namespace:  default
Age:        1h
URL:        http://hello.default.localhost
Service:    hello

Traffic Targets:  
  100%  @latest (hello-00002)
    0%  hello-00001 #old
        URL:  http://old-hello.default.localhost

Conditions:  
  OK TYPE     AGE REASON
  ++ Ready    59m 
"
    );
}

#[test]
fn routes_are_listed() {
    assert_eq!(
        table(&[route()], &ListArgs::default()),
        "NAME    URL                              READY\nhello   http://hello.default.localhost   True\n"
    );
    assert_eq!(table(&[], &ListArgs::default()), "No routes found.\n");
}
