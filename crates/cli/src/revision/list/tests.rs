use serde_json::json;

use super::*;

#[test]
fn traffic_and_tags_come_from_the_service() {
    let revision = |name: &str, service: &str, generation: &str| -> Revision {
        serde_json::from_value(json!({
            "metadata": {
                "name": name,
                "namespace": "default",
                "creationTimestamp": "2026-11-20T11:59:00Z",
                "labels": {
                    "serving.knative.dev/service": service,
                    "serving.knative.dev/configurationGeneration": generation,
                },
            },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        }))
        .unwrap()
    };
    let service: Service = serde_json::from_value(json!({
        "metadata": { "name": "hello", "namespace": "default" },
        "status": { "traffic": [
            { "revisionName": "hello-00010", "percent": 60, "latestRevision": true },
            { "revisionName": "hello-00010", "percent": 30, "tag": "new" },
            { "revisionName": "hello-00010", "tag": "newest" },
            { "revisionName": "hello-00009", "percent": 10 },
        ] },
    }))
    .unwrap();
    let mut revisions = vec![
        revision("hello-00009", "hello", "9"),
        revision("hello-00010", "hello", "10"),
        revision(&format!("a-{}", "long".repeat(13)), "a", "1"),
    ];
    revisions.sort_by_cached_key(order);
    let services = [(service.key(), service)].into();
    assert_eq!(
        table(&revisions, &services, &ListArgs::default(), "2026-11-20T12:00:00Z".parse().unwrap()),
        "\
NAME                                                 SERVICE   TRAFFIC   TAGS         GENERATION   AGE   CONDITIONS   READY   REASON
a-longlonglonglonglonglonglonglonglonglonglong ...   a                                1            60s   1 OK / 1     True    
hello-00010                                          hello     90%       new,newest   10           60s   1 OK / 1     True    
hello-00009                                          hello     10%                    9            60s   1 OK / 1     True    
"
    );
}
