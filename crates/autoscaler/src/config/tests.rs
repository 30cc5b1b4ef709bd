use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let data = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    Config::from_map(&data).map_err(|error| error.to_string())
}

#[test]
fn the_empty_map_is_the_default() {
    assert_eq!(read(&[]), Ok(Config::default()));
    assert_eq!(read(&[("_example", "anything"), ("unknown", "x")]), Ok(Config::default()));
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
        ("pod-autoscaler-class", "hpa.autoscaling.knative.dev"),
        ("activator-capacity", "200"),
        ("initial-scale", "0"),
        ("allow-zero-initial-scale", "true"),
        ("min-scale", "1"),
        ("max-scale", "4"),
        ("max-scale-limit", "8"),
        ("scale-down-delay", "15m"),
    ]);
    let expect = Config {
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
        pod_autoscaler_class: "hpa.autoscaling.knative.dev".into(),
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
fn a_fraction_is_taken_as_one() {
    let fraction = |text| {
        read(&[("container-concurrency-target-percentage", text)])
            .unwrap()
            .container_concurrency_target_fraction
    };
    assert_eq!((fraction("0.6"), fraction("1"), fraction("60")), (0.6, 1.0, 0.6));
}

#[test]
fn what_cannot_work_is_refused() {
    type Case = (&'static [(&'static str, &'static str)], &'static str);
    let cases: &[Case] = &[
        (&[("stable-window", "5s")], "stable-window = \"5s\": expected a duration from 6s to 3600s"),
        (&[("stable-window", "6500ms")], "stable-window = \"6500ms\": expected whole seconds"),
        (&[("stable-window", "60")], "stable-window = \"60\": expected a duration such as 30s or 1m30s"),
        (
            &[("target-burst-capacity", "-2")],
            "target-burst-capacity = \"-2\": expected -1 or a number of at least 0",
        ),
        (&[("max-scale-up-rate", "1")], "max-scale-up-rate = \"1\": expected a number above 1"),
        (&[("max-scale-down-rate", "0.5")], "max-scale-down-rate = \"0.5\": expected a number above 1"),
        (&[("activator-capacity", "0")], "activator-capacity = \"0\": expected a number of at least 1"),
        (
            &[("scale-to-zero-grace-period", "0s")],
            "scale-to-zero-grace-period = \"0s\": expected a duration from 1ns",
        ),
        (&[("enable-scale-to-zero", "yes")], "enable-scale-to-zero = \"yes\": expected true or false"),
        (&[("initial-scale", "0")], "initial-scale = \"0\": 0 needs allow-zero-initial-scale"),
        (&[("min-scale", "3"), ("max-scale", "2")], "min-scale = \"3\": expected at most max-scale (2)"),
        (&[("max-scale-limit", "5")], "max-scale = \"0\": expected 1 to max-scale-limit (5)"),
        (
            &[
                ("container-concurrency-target-default", "0.01"),
                ("container-concurrency-target-percentage", "50"),
            ],
            "container-concurrency-target-default = \"0.01\": expected at least 0.01 after the target percentage",
        ),
    ];
    for (pairs, expect) in cases {
        let error = read(pairs).expect_err(expect);
        assert!(error.starts_with(&format!("config-autoscaler: {expect}")), "{pairs:?}: {error}");
    }
}
