//! What admission refuses of these annotations is tested there; here, what is read of those that it let in.

use super::*;

fn read_with(pairs: &[(&str, &str)], config: &Autoscaler) -> Result<Scaling, String> {
    let key = |key: &str| format!("autoscaling.knative.dev/{key}");
    let map = pairs.iter().map(|(name, value)| (key(name), (*value).to_owned())).collect();
    Scaling::from_map(&map, config).map_err(|error| error.to_string())
}

fn read(pairs: &[(&str, &str)]) -> Result<Scaling, String> {
    read_with(pairs, &Autoscaler::default())
}

#[test]
fn both_spellings_and_the_canonical_one_first() {
    let scale = |pairs| read(pairs).unwrap().min_scale;
    assert_eq!(scale(&[("min-scale", "2")]), Some(2));
    assert_eq!(scale(&[("minScale", "3")]), Some(3));
    assert_eq!(scale(&[("minScale", "3"), ("min-scale", "2")]), Some(2));
    assert_eq!(scale(&[]), None);
}

#[test]
fn each_key_is_read() {
    let read = read(&[
        ("class", "kpa.autoscaling.knative.dev"),
        ("metric", "rps"),
        ("target", "150.5"),
        ("targetUtilizationPercentage", "80"),
        ("target-burst-capacity", "-1"),
        ("min-scale", "1"),
        ("max-scale", "0"),
        ("initial-scale", "2"),
        ("activation-scale", "3"),
        ("scale-down-delay", "15m"),
        ("scale-to-zero-pod-retention-period", "90s"),
        ("window", "6s"),
        ("panic-window-percentage", "20"),
        ("panic-threshold-percentage", "300"),
        ("metric-aggregation-algorithm", "weightedExponential"),
    ]);
    let expect = Scaling {
        class: Some("kpa.autoscaling.knative.dev".into()),
        metric: Some(ScalingMetric::Rps),
        target: Some(150.5),
        target_utilization: Some(0.8),
        target_burst_capacity: Some(-1.0),
        min_scale: Some(1),
        max_scale: Some(0),
        initial_scale: Some(2),
        activation_scale: Some(3),
        scale_down_delay: Some(Duration::from_secs(900)),
        scale_to_zero_pod_retention_period: Some(Duration::from_secs(90)),
        window: Some(Duration::from_secs(6)),
        panic_window_percentage: Some(20.0),
        panic_threshold_percentage: Some(300.0),
        aggregation: Some(Aggregation::WeightedExponential),
    };
    assert_eq!(read, Ok(expect));
}

#[test]
fn the_class_decides_on_the_metric() {
    let hpa = ("class", "hpa.autoscaling.knative.dev");
    assert_eq!(read(&[hpa, ("metric", "cpu")]).unwrap().metric, Some(ScalingMetric::Other("cpu".into())));
    let refused = read(&[("metric", "cpu")]).unwrap_err();
    assert_eq!(refused, "invalid value: cpu: metadata.annotations.autoscaling.knative.dev/metric");
    let config = Autoscaler { pod_autoscaler_class: CLASS_HPA.to_owned(), ..Autoscaler::default() };
    assert!(read_with(&[("metric", "cpu")], &config).is_ok());
}

/// A Revision never changes; a ConfigMap that does must not take the scale of those that are there.
#[test]
fn what_the_configuration_forbids_by_now_is_still_read() {
    let config = Autoscaler { max_scale: 5, max_scale_limit: 10, ..Autoscaler::default() };
    let read = read_with(&[("initial-scale", "0"), ("max-scale", "11")], &config).unwrap();
    assert_eq!((read.initial_scale, read.max_scale), (Some(0), Some(11)));
    assert!(read_with(&[("min-scale", "3"), ("max-scale", "2")], &config).is_err());
}
