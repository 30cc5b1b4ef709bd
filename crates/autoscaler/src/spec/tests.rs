use super::*;

fn spec(annotations: Annotations, container_concurrency: i64) -> DeciderSpec {
    let workload = Workload { container_concurrency, reachability: Reachability::Reachable };
    DeciderSpec::new(&annotations, &Config::default(), workload)
}

#[test]
fn targets() {
    let rps = Annotations { metric: Some(ScalingMetric::Rps), ..Annotations::default() };
    let other = Annotations { metric: Some(ScalingMetric::Other("cpu".into())), ..Annotations::default() };
    let target = |target| Annotations { target: Some(target), ..Annotations::default() };
    let full = Annotations { target_utilization: Some(1.0), ..target(20.0) };
    // (annotations, containerConcurrency, expected total and target)
    let cases = [
        (Annotations::default(), 0, (100.0, 70.0)),
        (Annotations::default(), 10, (10.0, 7.0)),
        (target(20.0), 0, (20.0, 14.0)),
        (target(20.0), 10, (10.0, 7.0)),
        (target(5.0), 10, (5.0, 3.5)),
        (full, 0, (20.0, 20.0)),
        (target(0.01), 0, (0.01, 0.01)),
        (rps.clone(), 1, (200.0, 140.0)),
        (Annotations { target: Some(10.0), ..rps }, 1, (10.0, 7.0)),
        (other, 0, (100.0, 70.0)),
    ];
    for (annotations, limit, expect) in cases {
        let resolved = spec(annotations.clone(), limit);
        assert_eq!((resolved.total, resolved.target), expect, "{annotations:?} with {limit}");
    }
}

#[test]
fn panic_windows() {
    let window = |stable, percentage| panic_window(Duration::from_secs(stable), percentage).as_secs();
    assert_eq!((window(60, 10.0), window(6, 10.0), window(66, 10.0), window(6, 1.0)), (6, 1, 7, 1));
}

#[test]
fn an_unreachable_revision_is_not_kept() {
    let annotations = Annotations {
        min_scale: Some(3),
        scale_to_zero_pod_retention_period: Some(Duration::from_secs(9)),
        ..Annotations::default()
    };
    let workload = Workload { container_concurrency: 0, reachability: Reachability::Unreachable };
    let spec = DeciderSpec::new(&annotations, &Config::default(), workload);
    assert_eq!((spec.bounds.min, spec.scale_to_zero_pod_retention_period), (0, Duration::ZERO));
}

#[test]
fn room_before_the_first_decision() {
    let room = |tbc| {
        let annotations = Annotations { target_burst_capacity: Some(tbc), ..Annotations::default() };
        spec(annotations, 0).initial_excess_burst_capacity()
    };
    assert_eq!((room(-1.0), room(0.0), room(211.0), room(40.0)), (-1, 0, -111, 60));
}

#[test]
fn initial_scales() {
    // (annotation, config, allow-zero-initial-scale, expect)
    let cases = [(None, 2, false, 2), (Some(3), 1, false, 3), (Some(0), 2, false, 2), (Some(0), 2, true, 0)];
    for (own, initial_scale, allow_zero_initial_scale, expect) in cases {
        let annotations = Annotations { initial_scale: own, ..Annotations::default() };
        let config = Config { initial_scale, allow_zero_initial_scale, ..Config::default() };
        assert_eq!(super::initial_scale(&annotations, &config), expect, "{own:?} {config:?}");
    }
}
