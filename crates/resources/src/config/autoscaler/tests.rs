use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Autoscaler, String> {
    let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Autoscaler::from_map(&data).map_err(|error| error.to_string())
}

#[test]
fn the_empty_map_is_the_default() {
    assert_eq!(read(&[]), Ok(Autoscaler::default()));
    assert_eq!(read(&[("_example", "anything"), ("unknown", "x")]), Ok(Autoscaler::default()));
}

#[test]
fn each_key_is_read() {
    let config = read(&[
        ("container-concurrency-target-percentage", "50"),
        ("container-concurrency-target-default", "10"),
        ("requests-per-second-target-default", "20"),
        ("target-burst-capacity", "-1"),
        ("stable-window", "2m"),
        ("panic-window-percentage", "20"),
        ("panic-threshold-percentage", "300"),
        ("max-scale-up-rate", "10"),
        ("max-scale-down-rate", "3"),
        ("enable-scale-to-zero", "false"),
        ("scale-to-zero-grace-period", "10s"),
        ("scale-to-zero-pod-retention-period", "5s"),
        ("pod-autoscaler-class", "someone.example.com"),
        ("activator-capacity", "200"),
        ("initial-scale", "0"),
        ("allow-zero-initial-scale", "true"),
        ("min-scale", "1"),
        ("max-scale", "4"),
        ("max-scale-limit", "8"),
        ("scale-down-delay", "15m"),
    ]);
    let expect = Autoscaler {
        container_concurrency_target_fraction: 0.5,
        container_concurrency_target_default: 10.0,
        rps_target_default: 20.0,
        target_burst_capacity: -1.0,
        stable_window: Duration::from_secs(120),
        panic_window_percentage: 20.0,
        panic_threshold_percentage: 300.0,
        max_scale_up_rate: 10.0,
        max_scale_down_rate: 3.0,
        enable_scale_to_zero: false,
        scale_to_zero_grace_period: Duration::from_secs(10),
        scale_to_zero_pod_retention_period: Duration::from_secs(5),
        pod_autoscaler_class: "someone.example.com".into(),
        activator_capacity: 200.0,
        initial_scale: 0,
        allow_zero_initial_scale: true,
        min_scale: 1,
        max_scale: 4,
        max_scale_limit: 8,
        scale_down_delay: Duration::from_secs(900),
    };
    assert_eq!(config, Ok(expect));
}

#[test]
fn a_percentage_or_a_fraction() {
    let fraction = |text| {
        read(&[("container-concurrency-target-percentage", text)])
            .unwrap()
            .container_concurrency_target_fraction
    };
    assert_eq!((fraction("0.6"), fraction("1"), fraction("60")), (0.6, 1.0, 0.6));
}

#[test]
fn what_cannot_work_is_refused() {
    for (pairs, expect) in [
        (&[("stable-window", "5s")][..], "stable-window: must be from 6s to 1h, was 5s"),
        (&[("stable-window", "60500ms")], "stable-window: must be whole seconds, was 1m0.5s"),
        (&[("max-scale-up-rate", "1")], "max-scale-up-rate: must be above 1, was 1"),
        (
            &[("target-burst-capacity", "-3")],
            "target-burst-capacity: must be 0 or more, or -1 for no limit, was -3",
        ),
        (
            &[("initial-scale", "0")],
            "initial-scale: must be at least 1, was 0 (0 needs allow-zero-initial-scale: \"true\")",
        ),
        (&[("max-scale-limit", "5")], "max-scale: must be from 1 to max-scale-limit (5), was 0"),
        (&[("enable-scale-to-zero", "yes")], "enable-scale-to-zero: \"yes\" is not \"true\" or \"false\""),
        (&[("scale-to-zero-grace-period", "0s")], "scale-to-zero-grace-period: must be above 0s"),
        (&[("max-scale-down-rate", "0.5")], "max-scale-down-rate: must be above 1, was 0.5"),
        (&[("min-scale", "3"), ("max-scale", "2")], "min-scale: (3) must be no more than max-scale (2)"),
        (
            &[("stable-window", "60")],
            "stable-window: \"60\" is not a duration that is not negative, such as \"30s\", \"10m\" or \"1h30m\"",
        ),
        (
            &[
                ("container-concurrency-target-default", "0.01"),
                ("container-concurrency-target-percentage", "50"),
            ],
            "container-concurrency-target-default: with container-concurrency-target-percentage it gives a target of \
             0.005, which must be at least 0.01",
        ),
        (&[("activator-capacity", "0.5")], "activator-capacity: must be at least 1, was 0.5"),
        (&[("panic-window-percentage", "101")], "panic-window-percentage: must be from 1 to 100, was 101"),
        (
            &[("pod-autoscaler-class", "hpa.autoscaling.knative.dev")],
            "pod-autoscaler-class: must not be hpa.autoscaling.knative.dev: this release of Ebb has no autoscaler of \
             this class; use kpa.autoscaling.knative.dev",
        ),
    ] {
        assert_eq!(read(pairs).unwrap_err(), format!("config-autoscaler: {expect}"), "{pairs:?}");
    }
}
