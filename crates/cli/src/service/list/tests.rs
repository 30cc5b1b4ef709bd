use serde_json::json;

use super::*;

fn services() -> Vec<Service> {
    let ready = json!({
        "metadata": { "name": "hello", "namespace": "default", "creationTimestamp": "2026-11-20T11:56:48Z" },
        "status": {
            "url": "http://hello.default.localhost",
            "latestReadyRevisionName": "hello-00002",
            "conditions": [
                { "type": "ConfigurationsReady", "status": "True" },
                { "type": "Ready", "status": "True" },
                { "type": "RoutesReady", "status": "True" },
            ],
        },
    });
    let failed = json!({
        "metadata": { "name": "broken", "namespace": "other", "creationTimestamp": "2026-11-18T11:00:00Z" },
        "status": { "conditions": [
            { "type": "Ready", "status": "False", "reason": "RevisionMissing", "message": "no\trevision" },
            { "type": "RoutesReady", "status": "Unknown" },
        ] },
    });
    let new = json!({ "metadata": { "name": "new", "namespace": "other" } });
    [ready, failed, new].map(|service| serde_json::from_value(service).unwrap()).into()
}

fn listed(list: &ListArgs, services: &[Service]) -> String {
    table(services, list, "2026-11-20T12:00:00Z".parse().unwrap())
}

#[test]
fn columns_are_as_wide_as_they_must_be() {
    assert_eq!(
        listed(&ListArgs::default(), &services()),
        "\
NAME     URL                              LATEST        AGE     CONDITIONS   READY       REASON
hello    http://hello.default.localhost   hello-00002   3m12s   3 OK / 3     True        
broken                                                  2d1h    0 OK / 2     False       RevisionMissing : no revision
new                                                     <unknown>   0 OK / 0     <unknown>   <unknown>
"
        .replace("AGE     CONDITIONS", "AGE         CONDITIONS")
        .replace("3m12s   3 OK", "3m12s       3 OK")
        .replace("2d1h    0 OK", "2d1h        0 OK")
    );
}

#[test]
fn namespaces_and_headers_are_shown_when_wanted() {
    let list = ListArgs { all_namespaces: true, no_headers: true, ..ListArgs::default() };
    assert_eq!(
        listed(&list, &services()[..1]),
        "default   hello   http://hello.default.localhost   hello-00002   3m12s   3 OK / 3   True   \n"
    );
    assert_eq!(listed(&list, &[]), "No services found.\n");
}
