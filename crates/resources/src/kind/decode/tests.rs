use serde_json::json;

use crate::kinds;

#[test]
fn what_does_not_fit_is_named_with_its_path() {
    let service = |spec| json!({"metadata": {"name": "a"}, "spec": {"template": {"spec": spec}}});
    let pod =
        |container| json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "b"}, container]}});
    let (ksvc, core) = ("serving.knative.dev/v1", "v1");
    // (apiVersion, kind, object, what, field, type)
    let cases = [
        (
            ksvc,
            "Service",
            service(json!({"containerConcurrency": "ten"})),
            "string",
            "spec.template.spec.containerConcurrency",
            "int64",
        ),
        (
            ksvc,
            "Service",
            service(json!({"timeoutSeconds": 1.5})),
            "number",
            "spec.template.spec.timeoutSeconds",
            "int64",
        ),
        (
            ksvc,
            "Service",
            service(json!({"containers": {}})),
            "object",
            "spec.template.spec.containers",
            "array",
        ),
        (ksvc, "Service", service(json!("none")), "string", "spec.template.spec", "RevisionSpec"),
        (ksvc, "Service", json!({"metadata": {"name": 5}}), "number", "metadata.name", "string"),
        (
            ksvc,
            "Service",
            json!({"metadata": {}, "spec": {"traffic": [{"percent": "all"}]}}),
            "string",
            "spec.traffic[0].percent",
            "int64",
        ),
        (core, "Pod", pod(json!({"stdin": "yes"})), "string", "spec.containers[1].stdin", "bool"),
        (
            core,
            "Pod",
            pod(json!({"ports": [{"containerPort": 99_999_999_999i64}]})),
            "number",
            "spec.containers[1].ports[0].containerPort",
            "int32",
        ),
        (core, "ConfigMap", json!({"metadata": {}, "data": {"a": true}}), "bool", "data.a", "string"),
        (ksvc, "Service", json!({"metadata": {}, "spec": []}), "array", "spec", "ServiceSpec"),
        (ksvc, "Service", service(json!([])), "array", "spec.template.spec", "RevisionSpec"),
        (
            ksvc,
            "Service",
            json!({"metadata": {}, "spec": {"traffic": [[]]}}),
            "array",
            "spec.traffic[0]",
            "TrafficTarget",
        ),
        (
            ksvc,
            "Service",
            service(json!({"containers": [[]]})),
            "array",
            "spec.template.spec.containers[0]",
            "Container",
        ),
        (core, "Pod", json!({"metadata": [], "spec": {}}), "array", "metadata", "ObjectMeta"),
        (core, "Pod", json!({"metadata": {}, "spec": []}), "array", "spec", "PodSpec"),
    ];
    for (version, kind, value, found, field, expected) in cases {
        let error = kinds::by_kind(version, kind).unwrap().decode_strict(value.clone()).err();
        let expect =
            format!("json: cannot unmarshal {found} into Go struct field {kind}.{field} of type {expected}");
        assert_eq!(error.map(|error| error.message), Some(expect), "{value}");
    }
}

#[test]
fn what_is_unknown_is_named_with_its_path() {
    let kind = kinds::by_kind("v1", "Pod").unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "nam": "b"},
        "spec": {"containers": [{"name": "c", "imagee": "d"}], "nodeName": null}});
    let (_, unknown) = kind.decode_strict(pod).unwrap();
    assert_eq!(unknown, ["metadata.nam", "spec.containers[0].imagee"]);
}
