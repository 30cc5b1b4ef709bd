use super::*;

fn service() -> Service {
    serde_json::from_value(json!({
        "metadata": {
            "name": "hello", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 3,
            "labels": {"team": "a"},
            "annotations": {"serving.knative.dev/creator": "me", "note": "x"},
        },
        "spec": {
            "template": {
                "metadata": {"annotations": {"client.knative.dev/updateTimestamp": "now", "a": "b"}},
                "spec": {"containers": [{"image": "dev.local/hello:3"}]},
            },
            "traffic": [
                {"latestRevision": true, "percent": 70},
                {"revisionName": "hello-00002", "latestRevision": false, "percent": 20},
                {"revisionName": "hello-00001", "latestRevision": false, "percent": 10, "tag": "old"},
            ],
        },
        "status": {"latestCreatedRevisionName": "hello-00003", "url": "http://hello.default.localhost"},
    }))
    .unwrap()
}

fn revision(number: usize) -> Revision {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("hello-0000{number}"), "uid": "r",
            "labels": {
                "serving.knative.dev/configurationGeneration": number.to_string(),
                "serving.knative.dev/configurationUID": "c",
                "serving.knative.dev/service": "hello",
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Configuration", "name": "hello", "uid": "c"}],
        },
        "spec": {"containers": [{"image": format!("dev.local/hello:{number}")}]},
        "status": {"logUrl": "x"},
    }))
    .unwrap()
}

#[test]
fn what_is_exported_is_what_was_asked_for() {
    let alone = export(&service(), &[], false);
    assert_eq!((&alone["apiVersion"], &alone["kind"]), (&json!(API_VERSION), &json!("Export")));
    let exported = &alone["spec"]["service"];
    let metadata = json!({"name": "hello", "labels": {"team": "a"}, "annotations": {"note": "x"}});
    assert_eq!(exported["metadata"], metadata);
    let template = &exported["spec"]["template"];
    assert_eq!(template["metadata"], json!({"annotations": {"a": "b"}}));
    assert_eq!(template["spec"]["containers"][0]["image"], "dev.local/hello:3");
    assert!(exported["spec"]["traffic"].is_null() && exported["status"]["url"].is_null(), "{exported}");
}

#[test]
fn revisions_are_those_that_traffic_goes_to() {
    let all = (1..=4).rev().map(revision).collect();
    let others = routed(&service(), all);
    let names: Vec<_> = others.iter().map(Object::name).collect();
    assert_eq!(names, ["hello-00001", "hello-00002"]);

    let exported = export(&service(), &others, true);
    let spec = &exported["spec"]["service"]["spec"];
    // What traffic names has the same name elsewhere; the latest is found by that it is the latest.
    assert_eq!(spec["template"]["metadata"]["name"], "hello-00003");
    assert_eq!(spec["traffic"][0], json!({"latestRevision": true, "percent": 70}));
    let first = &exported["spec"]["revisions"][0];
    let labels =
        json!({"serving.knative.dev/configurationGeneration": "1", "serving.knative.dev/service": "hello"});
    assert_eq!(first["metadata"], json!({"name": "hello-00001", "labels": labels}));
    assert!(first["status"].is_null(), "{first}");

    let replayed = replay(&service(), &others, true);
    let templates: Vec<_> =
        replayed["items"].as_array().unwrap().iter().map(|item| &item["spec"]["template"]).collect();
    for (template, number) in templates.iter().zip(1..=3) {
        assert_eq!(template["metadata"]["name"], format!("hello-r0000{number}"));
        assert_eq!(template["spec"]["containers"][0]["image"], format!("dev.local/hello:{number}"));
    }
    let traffic = |at: usize| replayed["items"][at]["spec"]["traffic"].as_array().map_or(0, Vec::len);
    assert_eq!([traffic(0), traffic(1), traffic(2)], [0, 0, 3]);
    assert_eq!(replayed["items"][2]["spec"]["traffic"][2]["revisionName"], "hello-r00001");
    assert_eq!(replay(&service(), &[], false)["kind"], "Service");
}

#[test]
fn names_that_a_platform_gives_are_given_to_no_two() {
    let service = |names: &[&str]| {
        let mut service = service();
        service.spec.traffic = serde_json::from_value(json!(
            names.iter().map(|name| json!({"revisionName": name, "percent": 1})).collect::<Vec<_>>()
        ))
        .unwrap();
        service
    };
    for (names, expect) in [
        (&["hello-00001", "hello-green"][..], &["hello-r00001", "hello-green"][..]),
        (&["hello-00001", "hello-r00001"], &["hello-rr00001", "hello-r00001"]),
        (&["other-00001", "hello-0001", "hello-1000000"], &["other-00001", "hello-0001", "hello-r1000000"]),
    ] {
        let mut service = service(names);
        Renamed::of(&service, &[]).service(&mut service);
        let renamed: Vec<_> =
            service.spec.traffic.iter().filter_map(|target| target.revision_name.as_deref()).collect();
        assert_eq!(renamed, expect);
    }
}
