use serde_json::{Value, json};

use super::{OF_SPEC, OF_STATUS, drop_annotations};
use crate::{Kind, kinds, meta::ObjectMeta};

fn v1() -> &'static Kind {
    kinds::by_kind("autoscaling/v1", "HorizontalPodAutoscaler").unwrap()
}

/// What is stored as v1 has it.
fn of_v2(stored: &Value) -> Value {
    let (object, unknown) = v1().original().decode_strict(stored.clone()).unwrap();
    assert_eq!(unknown, Vec::<String>::new());
    v1().of_original(&*object).unwrap().to_value()
}

/// What is written in v1 as it is stored.
fn to_v2(written: &Value) -> Value {
    let (object, unknown) = v1().decode_strict(written.clone()).unwrap();
    assert_eq!(unknown, Vec::<String>::new());
    v1().to_original(&*object).unwrap().to_value()
}

/// One of v2 with these metrics and this status.
fn stored(metrics: Value, behavior: Value, status: Value) -> Value {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let mut object = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "namespace": "n", "annotations": {"a": "b"}},
        "spec": {"maxReplicas": 5, "minReplicas": 2, "scaleTargetRef": target},
    });
    let fields = [("spec", "metrics", metrics), ("spec", "behavior", behavior)];
    for (within, field, value) in fields.into_iter().filter(|(.., value)| !value.is_null()) {
        object[within][field] = value;
    }
    if !status.is_null() {
        object["status"] = status;
    }
    object
}

fn cpu(percent: i32) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": percent});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][format!("autoscaling.alpha.kubernetes.io/{name}")].as_str()
}

#[test]
fn it_is_a_form_of_the_newer_version() {
    let original = v1().original();
    assert_eq!((original.api_version(), v1().hub()), ("autoscaling/v2".to_owned(), original));
    assert_eq!(v1().spec_annotations(), OF_SPEC);
    assert!(original.spec_annotations().is_empty());
}

#[test]
fn the_cpu_in_percent_is_a_field_of_its_own() {
    let newer = stored(json!([cpu(70)]), Value::Null, Value::Null);
    let older = of_v2(&newer);
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let expect = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "namespace": "n", "annotations": {"a": "b"}},
        "spec": {"maxReplicas": 5, "minReplicas": 2, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 70},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    });
    assert_eq!(older, expect);
    assert_eq!(to_v2(&older), newer);
}

/// Each metric of v2, and the same in v1's annotation.
fn metrics() -> Vec<(Value, Value)> {
    let object = json!({"apiVersion": "v1", "kind": "Service", "name": "s"});
    let selector = json!({"matchLabels": {"k": "v"}});
    let metric = json!({"name": "m", "selector": selector});
    let average = json!({"type": "AverageValue", "averageValue": "5"});
    let value = json!({"type": "Value", "value": "7"});
    let percent = json!({"type": "Utilization", "averageUtilization": 80});
    vec![
        (
            json!({"type": "Resource", "resource": {"name": "memory", "target": percent}}),
            json!({"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 80}}),
        ),
        (
            json!({"type": "Resource", "resource": {"name": "cpu", "target": average}}),
            json!({"type": "Resource", "resource": {"name": "cpu", "targetAverageValue": "5"}}),
        ),
        (
            json!({"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": percent}}),
            json!({"type": "ContainerResource", "containerResource": {"name": "cpu", "targetAverageUtilization": 80, "container": "c"}}),
        ),
        (
            json!({"type": "Pods", "pods": {"metric": metric, "target": average}}),
            json!({"type": "Pods", "pods": {"metricName": "m", "targetAverageValue": "5", "selector": selector}}),
        ),
        (
            json!({"type": "Object", "object": {"describedObject": object, "metric": metric, "target": value}}),
            json!({"type": "Object", "object": {"target": object, "metricName": "m", "targetValue": "7", "selector": selector}}),
        ),
        (
            json!({"type": "Object", "object": {"describedObject": object, "metric": metric, "target": average}}),
            json!({"type": "Object", "object": {"target": object, "metricName": "m", "targetValue": "0", "selector": selector, "averageValue": "5"}}),
        ),
        (
            json!({"type": "External", "external": {"metric": metric, "target": value}}),
            json!({"type": "External", "external": {"metricName": "m", "metricSelector": selector, "targetValue": "7"}}),
        ),
        (
            json!({"type": "External", "external": {"metric": metric, "target": average}}),
            json!({"type": "External", "external": {"metricName": "m", "metricSelector": selector, "targetAverageValue": "5"}}),
        ),
    ]
}

#[test]
fn every_other_metric_is_in_an_annotation_and_comes_back() {
    for (newer, expect) in metrics() {
        let whole = stored(json!([newer]), Value::Null, Value::Null);
        let older = of_v2(&whole);
        let said: Value = serde_json::from_str(annotation(&older, "metrics").unwrap()).unwrap();
        assert_eq!(said, json!([expect]));
        assert_eq!(older["spec"].get("targetCPUUtilizationPercentage"), None, "{newer}");
        assert_eq!(to_v2(&older), whole);
    }
    // Of several, that of the field comes last.
    let mut all: Vec<Value> = metrics().into_iter().map(|(newer, _)| newer).collect();
    all.push(cpu(70));
    let whole = stored(json!(all), Value::Null, Value::Null);
    assert_eq!(to_v2(&of_v2(&whole)), whole);
    all.rotate_right(1);
    assert_eq!(to_v2(&of_v2(&stored(json!(all), Value::Null, Value::Null))), whole);
}

#[test]
fn annotations_are_written_as_upstream_writes_them() {
    let memory = metrics().remove(0).0;
    let rules = json!({"stabilizationWindowSeconds": 3, "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]});
    let whole = stored(json!([memory, cpu(70)]), json!({"scaleUp": rules}), Value::Null);
    let older = of_v2(&whole);
    let metrics = r#"[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":80}}]"#;
    assert_eq!(annotation(&older, "metrics"), Some(metrics));
    let behavior = r#"{"ScaleUp":{"StabilizationWindowSeconds":3,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":null}"#;
    assert_eq!(annotation(&older, "behavior"), Some(behavior));
    assert_eq!(to_v2(&older), whole);
}

#[test]
fn the_status_comes_back_whole() {
    let object = json!({"kind": "Service", "name": "s"});
    let (metric, both) = (json!({"name": "m"}), json!({"value": "7", "averageValue": "5"}));
    let percent = json!({"averageUtilization": 40, "averageValue": "3"});
    let readings = json!([
        {"type": "Resource", "resource": {"name": "cpu", "current": percent}},
        {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "current": percent}},
        {"type": "Pods", "pods": {"metric": metric, "current": {"averageValue": "5"}}},
        {"type": "Object", "object": {"describedObject": object, "metric": metric, "current": both}},
        {"type": "External", "external": {"metric": metric, "current": both}},
    ]);
    let time = "2026-01-01T00:00:00Z";
    let condition = json!({"type": "AbleToScale", "status": "True", "lastTransitionTime": time, "reason": "R", "message": "m"});
    let status = json!({
        "currentMetrics": readings, "conditions": [condition], "currentReplicas": 2, "desiredReplicas": 3,
        "lastScaleTime": time, "observedGeneration": 1,
    });
    let whole = stored(json!([cpu(70)]), Value::Null, status);
    let older = of_v2(&whole);
    let expect = json!({
        "currentCPUUtilizationPercentage": 40, "currentReplicas": 2, "desiredReplicas": 3, "lastScaleTime": time,
        "observedGeneration": 1,
    });
    assert_eq!(older["status"], expect);
    let conditions = format!(
        r#"[{{"type":"AbleToScale","status":"True","lastTransitionTime":"{time}","reason":"R","message":"m"}}]"#
    );
    assert_eq!(annotation(&older, "conditions"), Some(conditions.as_str()));
    assert_eq!(to_v2(&older), whole);
    // Without its annotation a reading is what the field says.
    let mut older = older;
    older["metadata"]["annotations"] = json!({});
    let current = &to_v2(&older)["status"]["currentMetrics"];
    assert_eq!(
        *current,
        json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}])
    );
}

#[test]
fn annotations_that_make_no_sense_say_nothing() {
    let mut older = of_v2(&stored(json!([cpu(70)]), Value::Null, Value::Null));
    let plain = to_v2(&older);
    for name in OF_SPEC.iter().chain(OF_STATUS) {
        for nonsense in ["", "{", "7", "null", "\"x\""] {
            older["metadata"]["annotations"][*name] = nonsense.into();
            assert_eq!(to_v2(&older), plain, "{name}: {nonsense}");
        }
    }
    let metrics = |amount: &str| {
        let metrics = json!([{"type": "Pods", "pods": {"metricName": null, "targetAverageValue": amount}}]);
        metrics.to_string()
    };
    older["metadata"]["annotations"][super::METRICS] = metrics("abc").into();
    assert_eq!(to_v2(&older), plain, "no amount");
    // A number is an amount, and null is nothing, as in a body.
    older["metadata"]["annotations"][super::METRICS] = metrics("5").replace("\"5\"", "5").into();
    assert_eq!(to_v2(&older)["spec"]["metrics"][0]["pods"]["target"]["averageValue"], "5");
}

#[test]
fn no_annotation_is_left_and_no_empty_map() {
    let annotations = OF_SPEC.iter().chain(OF_STATUS).map(|name| ((*name).to_owned(), String::new()));
    let mut metadata = ObjectMeta { annotations: Some(annotations.collect()), ..ObjectMeta::default() };
    drop_annotations(&mut metadata);
    assert_eq!(metadata.annotations, None);
}
