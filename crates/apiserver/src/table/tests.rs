use jiff::Timestamp;
use resources::{custom::JsonPath, kinds};
use serde_json::json;

use super::*;

const NOW: &str = "2026-01-01T01:00:00Z";

fn cells(group: &str, version: &str, plural: &str, object: &Value) -> Vec<Value> {
    let kind = kinds::by_plural(group, version, plural).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    columns::of(kind).iter().map(|column| column.cell(object, now)).collect()
}

fn texts(cells: &[Value]) -> Vec<String> {
    cells.iter().map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect()
}

#[test]
fn every_kind_has_columns_that_begin_with_its_name() {
    for kind in kinds::listed().filter(|kind| kind.plural != "events") {
        assert_eq!(columns::of(kind)[0].name, "Name", "{kind:?}");
    }
}

#[test]
fn columns_of_knatives_kinds_are_asked_for_as_they_are_shown() {
    for kind in kinds::all().iter().filter(|kind| !kind.is_builtin()) {
        let shown: Vec<_> = columns::of(kind).iter().skip(1).map(|column| &*column.name).collect();
        let asked = printer_columns(kind);
        let asked: Vec<_> = asked.iter().map(|column| column.name.as_str()).collect();
        // A kind that asks for nothing is shown with its age.
        assert_eq!(shown, if asked.is_empty() { vec!["Age"] } else { asked }, "{kind:?}");
    }
    let labels = json!({
        "serving.knative.dev/configuration": "c",
        "serving.knative.dev/configurationGeneration": "3",
    });
    let object = json!({
        "metadata": {"name": "c-00003", "labels": labels},
        "status": {
            "conditions": [{"type": "Ready", "status": "False", "reason": "Why"}],
            "actualReplicas": 1,
            "desiredReplicas": 2,
        },
    });
    let asked = printer_columns(kinds::by_plural("serving.knative.dev", "v1", "revisions").unwrap());
    let found: Vec<Value> = asked
        .iter()
        .map(|column| JsonPath::parse(&column.json_path).unwrap().find(&object).cloned().unwrap())
        .collect();
    assert_eq!(found, cells("serving.knative.dev", "v1", "revisions", &object)[1..]);
    assert_eq!(asked[0].json_path, r".metadata.labels['serving\.knative\.dev/configuration']");
}

#[test]
fn a_pod_is_told_in_one_word() {
    let base = |status: Value| {
        json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]},
            "status": status,
        })
    };
    let waiting = |reason: &str| json!({"name": "a", "state": {"waiting": {"reason": reason}}});
    let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0}}});
    let cases = [
        (json!({"phase": "Pending"}), "Pending"),
        (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
        (
            json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}),
            "Init:0/1",
        ),
        (
            json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 3}}}]}),
            "Init:ExitCode:3",
        ),
        (
            json!({"phase": "Pending", "initContainerStatuses": [done], "containerStatuses": [waiting("ImagePullBackOff")]}),
            "ImagePullBackOff",
        ),
        (
            json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"terminated": {"reason": "OOMKilled"}}}]}),
            "OOMKilled",
        ),
        (
            json!({"phase": "Running", "containerStatuses": [{"name": "a", "ready": true, "state": {"running": {}}}]}),
            "Running",
        ),
    ];
    for (status, expect) in cases {
        assert_eq!(cells("", "v1", "pods", &base(status.clone()))[2], expect, "{status}");
    }
    let mut going = base(json!({"phase": "Running"}));
    going["metadata"]["deletionTimestamp"] = NOW.into();
    assert_eq!(cells("", "v1", "pods", &going)[2], "Terminating");
    let restarted = base(json!({"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [
        {"name": "a", "ready": true, "restartCount": 2, "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}}, "state": {"running": {}}},
    ]}));
    let row = texts(&cells("", "v1", "pods", &restarted));
    assert_eq!(row, ["p", "1/2", "Running", "2 (5m ago)", "60m", "10.0.0.1", "<none>", "<none>", "<none>"]);
}

#[test]
fn rows_read_as_kubectl_and_knative_write_them() {
    let service = json!({
        "metadata": {"name": "s"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.9", "ports": [{"port": 80, "protocol": "TCP"}, {"port": 443}], "selector": {"app": "x"}},
    });
    assert_eq!(
        texts(&cells("", "v1", "services", &service)),
        ["s", "ClusterIP", "10.0.0.9", "<none>", "80/TCP,443/TCP", "<unknown>", "app=x"]
    );
    let ready = json!([{"type": "Ready", "status": "False", "reason": "RevisionMissing"}]);
    let knative = json!({"metadata": {"name": "k"}, "status": {"url": "http://k", "latestCreatedRevisionName": "k-1", "conditions": ready}});
    assert_eq!(
        texts(&cells("serving.knative.dev", "v1", "services", &knative)),
        ["k", "http://k", "k-1", "", "False", "RevisionMissing"]
    );
    let revision = json!({
        "metadata": {"name": "k-1", "labels": {"serving.knative.dev/configuration": "k", "serving.knative.dev/configurationGeneration": "1"}},
        "status": {"actualReplicas": 2},
    });
    assert_eq!(
        texts(&cells("serving.knative.dev", "v1", "revisions", &revision)),
        ["k-1", "k", "1", "", "", "2", "null"]
    );
    let slice = json!({
        "metadata": {"name": "e"}, "addressType": "IPv4", "ports": [{"port": 8080}],
        "endpoints": [{"addresses": ["a"]}, {"addresses": ["b"]}, {"addresses": ["c"]}, {"addresses": ["d"]}],
    });
    assert_eq!(
        texts(&cells("discovery.k8s.io", "v1", "endpointslices", &slice))[..4],
        ["e", "IPv4", "8080", "a,b,c + 1 more..."]
    );
}
