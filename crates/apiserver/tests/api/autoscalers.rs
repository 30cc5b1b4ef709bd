//! HorizontalPodAutoscalers of `autoscaling/v1`: those of v2, as their older version has them.

use serde_json::{Value, json};

use crate::rig::Rig;

const OLDER: &str = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
const NEWER: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];
const APPLY: [(&str, &str); 1] = [("content-type", "application/apply-patch+yaml")];
const TABLE: [(&str, &str); 1] = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
const METRICS: &str = "/metadata/annotations/autoscaling.alpha.kubernetes.io~1metrics";

fn older(name: &str) -> Value {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 60},
    })
}

fn percent(resource: &str, percent: i32) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": percent});
    json!({"type": "Resource", "resource": {"name": resource, "target": target}})
}

fn newer(name: &str) -> Value {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let metrics = json!([percent("memory", 80), percent("cpu", 70)]);
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {"maxReplicas": 5, "scaleTargetRef": target, "metrics": metrics},
    })
}

/// The JSON at some pointers of an answer.
fn check(answer: &Value, expect: &[(&str, Value)]) {
    for (pointer, expect) in expect {
        assert_eq!(answer.pointer(pointer).unwrap_or(&Value::Null), expect, "{pointer} of {answer}");
    }
}

#[tokio::test]
async fn what_is_written_in_one_version_is_read_in_the_other() {
    let rig = Rig::start().await;
    let made = rig.post(OLDER, &older("older")).await;
    check(&made, &[("/apiVersion", json!("autoscaling/v1")), ("/spec/minReplicas", json!(1))]);
    check(&made, &[("/status", json!({"currentReplicas": 0, "desiredReplicas": 0}))]);
    let read = rig.call("GET", &format!("{NEWER}/older"), &[], "").await.json;
    check(&read, &[("/apiVersion", json!("autoscaling/v2")), ("/spec/metrics", json!([percent("cpu", 60)]))]);
    check(
        &read,
        &[("/metadata/uid", made["metadata"]["uid"].clone()), ("/metadata/generation", Value::Null)],
    );

    rig.post(NEWER, &newer("newer")).await;
    let read = rig.call("GET", &format!("{OLDER}/newer"), &[], "").await.json;
    let memory = r#"[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":80}}]"#;
    let expect = [("/spec/targetCPUUtilizationPercentage", json!(70)), (METRICS, json!(memory))];
    check(&read, &expect);
    check(&read, &[("/spec/metrics", Value::Null)]);
    let again = rig.call("PUT", &format!("{OLDER}/newer"), &[], &read.to_string()).await;
    assert_eq!(
        again.json["metadata"]["resourceVersion"], read["metadata"]["resourceVersion"],
        "{}",
        again.text
    );

    // A patch changes what it names, and nothing that the older version has no field for.
    let patch = r#"{"spec": {"targetCPUUtilizationPercentage": 50, "maxReplicas": 9}}"#;
    let patched = rig.call("PATCH", &format!("{OLDER}/newer"), &MERGE, patch).await;
    assert_eq!(patched.code, 200, "{}", patched.text);
    let read = rig.call("GET", &format!("{NEWER}/newer"), &[], "").await.json;
    let expect = json!([percent("memory", 80), percent("cpu", 50)]);
    check(&read, &[("/spec/metrics", expect), ("/spec/maxReplicas", json!(9)), (METRICS, Value::Null)]);

    let deleted = rig.call("DELETE", &format!("{OLDER}/newer"), &[], "").await;
    assert_eq!(deleted.code, 200, "{}", deleted.text);
    for path in [OLDER, NEWER] {
        let gone = rig.call("GET", &format!("{path}/newer"), &[], "").await;
        let message = json!("horizontalpodautoscalers.autoscaling \"newer\" not found");
        assert_eq!((gone.code, &gone.json["message"]), (404, &message));
    }
}

#[tokio::test]
async fn who_writes_the_status_leaves_the_spec_alone() {
    let rig = Rig::start().await;
    rig.post(NEWER, &newer("a")).await;
    let conditions = r#"[{"type":"AbleToScale","status":"True"}]"#;
    let annotations = json!({
        "autoscaling.alpha.kubernetes.io/metrics": null,
        "autoscaling.alpha.kubernetes.io/behavior": r#"{"ScaleUp":{"SelectPolicy":"Min"}}"#,
        "autoscaling.alpha.kubernetes.io/conditions": conditions,
    });
    let patch = json!({"metadata": {"annotations": annotations}, "status": {"currentReplicas": 2, "desiredReplicas": 2}});
    let path = format!("{OLDER}/a/status");
    let patched = rig.call("PATCH", &path, &MERGE, &patch.to_string()).await;
    assert_eq!(
        (patched.code, &patched.json["status"]["currentReplicas"]),
        (200, &json!(2)),
        "{}",
        patched.text
    );
    let read = rig.call("GET", &format!("{NEWER}/a"), &[], "").await.json;
    let metrics = json!([percent("memory", 80), percent("cpu", 70)]);
    check(&read, &[("/spec/metrics", metrics), ("/spec/behavior", Value::Null)]);
    check(
        &read,
        &[("/status/conditions/0/type", json!("AbleToScale")), ("/status/desiredReplicas", json!(2))],
    );
    // And the other way round: one who writes the object says nothing of the status.
    let patch = r#"{"metadata": {"annotations": null}, "spec": {"maxReplicas": 7}, "status": {"currentReplicas": 9}}"#;
    let patched = rig.call("PATCH", &format!("{OLDER}/a"), &MERGE, patch).await;
    assert_eq!(patched.code, 200, "{}", patched.text);
    let read = rig.call("GET", &format!("{NEWER}/a"), &[], "").await.json;
    check(&read, &[("/status/currentReplicas", json!(2)), ("/status/conditions/0/status", json!("True"))]);
    check(&read, &[("/spec/maxReplicas", json!(7)), ("/spec/metrics", json!([percent("cpu", 70)]))]);
}

#[tokio::test]
async fn lists_tables_and_watches_show_the_version_of_their_path() {
    let rig = Rig::start().await;
    let version = rig.post(NEWER, &newer("newer")).await["metadata"]["resourceVersion"].clone();
    rig.post(OLDER, &older("older")).await;
    let list = rig.call("GET", OLDER, &[], "").await.json;
    let expect = [
        ("/kind", json!("HorizontalPodAutoscalerList")),
        ("/apiVersion", json!("autoscaling/v1")),
        ("/items/0/spec/targetCPUUtilizationPercentage", json!(70)),
        ("/items/1/spec/targetCPUUtilizationPercentage", json!(60)),
    ];
    check(&list, &expect);
    let [shown, same] = [OLDER, NEWER].map(|path| rig.call("GET", path, &TABLE, ""));
    let (shown, same) = (shown.await.json, same.await.json);
    let targets = "memory: <unknown>/80%, cpu: <unknown>/70%";
    check(&shown, &[("/rows/0/cells/1", json!("Deployment/d")), ("/rows/0/cells/2", json!(targets))]);
    assert_eq!(shown["columnDefinitions"], same["columnDefinitions"]);
    // All but their age, which goes on.
    for (row, cell) in [0_usize, 1].into_iter().flat_map(|row| (0..6_usize).map(move |cell| (row, cell))) {
        assert_eq!(shown["rows"][row]["cells"][cell], same["rows"][row]["cells"][cell]);
    }
    let path = format!("{OLDER}?watch=true&resourceVersion={}", version.as_str().unwrap());
    let mut watch = rig.watch(&path, &[]).await;
    let seen = watch.next().await.unwrap();
    check(&seen["object"], &[("/apiVersion", json!("autoscaling/v1")), ("/metadata/name", json!("older"))]);
}

#[tokio::test]
async fn an_apply_in_one_version_is_one_in_both() {
    let rig = Rig::start().await;
    let path = format!("{OLDER}/a?fieldManager=me");
    let applied = rig.call("PATCH", &path, &APPLY, &older("a").to_string()).await;
    assert_eq!(applied.code, 201, "{}", applied.text);
    let entry = &applied.json["metadata"]["managedFields"][0];
    let fields = json!({"f:spec": {
        "f:maxReplicas": {}, "f:scaleTargetRef": {}, "f:targetCPUUtilizationPercentage": {},
    }});
    check(entry, &[("/apiVersion", json!("autoscaling/v1")), ("/fieldsV1", fields)]);
    let other = format!("{NEWER}/a?fieldManager=other");
    let wish = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {"metrics": [percent("cpu", 20)]}});
    let refused = rig.call("PATCH", &other, &APPLY, &wish.to_string()).await;
    assert_eq!(refused.code, 409, "{}", refused.text);
    let field = json!(".spec.targetCPUUtilizationPercentage");
    check(&refused.json, &[("/details/causes/0/field", field), ("/details/causes/1", Value::Null)]);
    let forced = rig.call("PATCH", &format!("{other}&force=true"), &APPLY, &wish.to_string()).await;
    assert_eq!(forced.code, 200, "{}", forced.text);
    let read = rig.call("GET", &format!("{OLDER}/a"), &[], "").await.json;
    check(&read, &[("/spec/targetCPUUtilizationPercentage", json!(20))]);
}

#[tokio::test]
async fn both_versions_are_discovered_and_the_newer_is_preferred() {
    let rig = Rig::start().await;
    let group = rig.call("GET", "/apis/autoscaling", &[], "").await.json;
    let version =
        |version: &str| json!({"groupVersion": format!("autoscaling/{version}"), "version": version});
    check(
        &group,
        &[("/versions", json!([version("v2"), version("v1")])), ("/preferredVersion", version("v2"))],
    );
    let hashes = ["v1", "v2"].map(|version| {
        let path = format!("/apis/autoscaling/{version}");
        let rig = &rig;
        async move {
            let resources = rig.call("GET", &path, &[], "").await.json;
            let names = ["/resources/0/name", "/resources/1/name"].map(|at| resources.pointer(at).cloned());
            let expect =
                ["horizontalpodautoscalers", "horizontalpodautoscalers/status"].map(|name| Some(json!(name)));
            assert_eq!(names, expect);
            check(&resources, &[("/resources/0/shortNames", json!(["hpa"])), ("/resources/2", Value::Null)]);
            resources["resources"][0]["storageVersionHash"].clone()
        }
    });
    let [older, newer] = hashes;
    assert_eq!(older.await, newer.await, "both are the same objects");
    let document = rig.call("GET", "/openapi/v3/apis/autoscaling/v1", &[], "").await.json;
    let schema = &document["components"]["schemas"]["io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec"];
    assert_eq!(schema["properties"]["targetCPUUtilizationPercentage"]["type"], "integer", "{schema}");
}
