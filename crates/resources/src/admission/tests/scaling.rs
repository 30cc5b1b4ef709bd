//! Autoscaling annotations of a template.

use serde_json::{Value, json};

use super::{configs, create, create_with, service, update};

fn with(annotations: &[(&str, &str)]) -> Value {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|(key, value)| (format!("autoscaling.knative.dev/{key}"), json!(value)))
        .collect();
    service(
        json!({"template": {"metadata": {"annotations": annotations}, "spec": {"containers": [{"image": "app"}]}}}),
    )
}

/// The message without the path before each annotation.
fn refusal(result: Result<Value, String>) -> String {
    result.unwrap_err().replace("spec.template.metadata.annotations.autoscaling.knative.dev/", "")
}

#[test]
fn refused() {
    type Case = (&'static [(&'static str, &'static str)], &'static str);
    let cases: &[Case] = &[
        (
            &[("min-scale", "5"), ("max-scale", "2")],
            "max-scale=2 is less than min-scale=5: max-scale, min-scale",
        ),
        (
            &[("minScale", "5"), ("maxScale", "2")],
            "max-scale=2 is less than min-scale=5: max-scale, min-scale",
        ),
        (&[("min-scale", "-1")], "expected 0 <= -1 <= 2147483647: min-scale"),
        (&[("min-scale", "99999999999")], "expected 0 <= 99999999999 <= 2147483647: min-scale"),
        (&[("maxScale", "many")], "invalid value: many: maxScale"),
        (&[("initial-scale", "0")], "invalid value: 0: initial-scale=0 not allowed by cluster"),
        (&[("initial-scale", "-1")], "invalid value: -1: initial-scale must be greater than 0"),
        (&[("activation-scale", "1")], "activation-scale=1 must be greater than 1: activation-scale"),
        (
            &[("activation-scale", "2"), ("min-scale", "3")],
            "min-scale=3 is greater than activation-scale=2: activation-scale",
        ),
        (
            &[("activation-scale", "4"), ("max-scale", "3")],
            "max-scale=3 is less than activation-scale=4: activation-scale",
        ),
        (&[("target", "0")], "target 0 should be at least 0.01: target"),
        (&[("target", "NaN")], "invalid value: NaN: target"),
        (
            &[("target-utilization-percentage", "101")],
            "expected 1 <= 101 <= 100: target-utilization-percentage",
        ),
        (&[("target-burst-capacity", "-2")], "invalid value: -2: target-burst-capacity"),
        (&[("window", "5s")], "expected 6s <= 5s <= 1h0m0s: window"),
        (&[("window", "6500ms")], "must be specified with at most second precision: window"),
        (&[("window", "60")], "invalid value: 60: window"),
        (&[("scale-down-delay", "-1s")], "expected 0s <= -1s <= 1h0m0s: scale-down-delay"),
        (
            &[("scale-to-zero-pod-retention-period", "2h")],
            "expected 0s <= 2h <= 1h0m0s: scale-to-zero-pod-retention-period",
        ),
        (&[("panic-window-percentage", "0")], "expected 1 <= 0 <= 100: panic-window-percentage"),
        (&[("panicThresholdPercentage", "100")], "expected 110 <= 100 <= 1000: panicThresholdPercentage"),
        (&[("class", "mine.knative.dev")], "invalid value: mine.knative.dev: class"),
        (&[("metric", "cpu")], "invalid value: cpu: metric"),
        (
            &[("class", "kpa.autoscaling.knative.dev"), ("metric-aggregation-algorithm", "best")],
            "invalid value: best: metric-aggregation-algorithm",
        ),
    ];
    for (annotations, expect) in cases {
        assert_eq!(refusal(create(&with(annotations))), *expect, "{annotations:?}");
    }
}

#[test]
fn taken() {
    for annotations in [
        &[("min-scale", "0"), ("max-scale", "0")][..],
        &[("min-scale", "3"), ("max-scale", "0")],
        &[("class", "kpa.autoscaling.knative.dev"), ("metric", "concurrency")],
        &[("class", "someone.example.com"), ("metric", "moon-phase")],
        &[("class", "someone.example.com"), ("metric", "rps")],
        &[("target-burst-capacity", "-1"), ("window", "1h"), ("scale-down-delay", "15m")],
        &[("metric-aggregation-algorithm", "weightedExponential"), ("metric", "concurrency")],
        &[("scale-to-zero-pod-retention-period", "1.5s")],
    ] {
        assert!(create(&with(annotations)).is_ok(), "{annotations:?}: {:?}", create(&with(annotations)));
    }
}

/// Upstream takes these; here nothing would scale so.
#[test]
fn ways_of_scaling_that_there_are_not() {
    const HPA: &str = "invalid value: hpa.autoscaling.knative.dev: class\nthis release of Ebb has no autoscaler of this \
                       class; remove the annotation, or use \"kpa.autoscaling.knative.dev\"";
    const RPS: &str = "invalid value: rps: metric\nthis release of Ebb scales on concurrent requests only; remove the annotation, \
                       or use \"concurrency\"";
    let hpa = ("class", "hpa.autoscaling.knative.dev");
    let cases: &[(&[_], &str)] = &[
        (&[hpa], HPA),
        (&[hpa, ("metric", "memory")], HPA),
        (&[("metric", "rps")], RPS),
        (&[("class", "kpa.autoscaling.knative.dev"), ("metric", "rps")], RPS),
    ];
    for (annotations, expect) in cases {
        let service = with(annotations);
        assert_eq!(refusal(create(&service)), *expect, "{annotations:?}");
        let mut configuration = service.clone();
        configuration["kind"] = json!("Configuration");
        assert_eq!(refusal(create(&configuration)), *expect, "{annotations:?}");
        let metadata = &service["spec"]["template"]["metadata"];
        let revision = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Revision",
            "metadata": {"name": "app-1", "namespace": "default", "annotations": metadata["annotations"]},
            "spec": {"containers": [{"image": "app"}]}});
        let refused = create(&revision).unwrap_err();
        assert_eq!(refused.replace("metadata.annotations.autoscaling.knative.dev/", ""), *expect);
        // What is there already can be changed in other ways.
        let mut labelled = service.clone();
        labelled["metadata"]["labels"] = json!({"team": "a"});
        assert!(update(&service, &labelled).is_ok(), "{annotations:?}");
        assert_eq!(refusal(update(&with(&[]), &service)), *expect, "{annotations:?}");
    }
}

#[test]
fn bounds_of_the_configuration() {
    let limited = configs(&[("config-autoscaler", &[("max-scale-limit", "10"), ("max-scale", "5")])]);
    for (max, expect) in [
        ("11", "expected 1 <= 11 <= 10: max-scale"),
        ("0", "max-scale=0 (unlimited), must be less than 10: max-scale"),
    ] {
        assert_eq!(refusal(create_with(&with(&[("max-scale", max)]), &limited)), expect);
    }
    let zero = configs(&[("config-autoscaler", &[("allow-zero-initial-scale", "true")])]);
    assert!(create_with(&with(&[("initial-scale", "0")]), &zero).is_ok());
}
