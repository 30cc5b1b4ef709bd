use super::*;
use crate::{Aggregation, Annotations, Config, Silence, Workload};

/// Target 10 per instance, total 10, window 60 s, panic window 6 s.
fn spec() -> DeciderSpec {
    let annotations =
        Annotations { target: Some(10.0), target_utilization: Some(1.0), ..Annotations::default() };
    let workload = Workload { container_concurrency: 0, reachability: Reachability::Reachable };
    DeciderSpec::new(&annotations, &Config::default(), workload)
}

fn at(second: u64) -> Time {
    Duration::from_secs(second)
}

/// Windows that hold `load` in each of the `seconds` before `until`.
fn steady(spec: &DeciderSpec, load: f64, seconds: u64, until: u64) -> Windows {
    let mut windows = Windows::new(spec, Silence::Idle);
    for second in until - seconds..=until {
        windows.record(at(second), load);
    }
    windows
}

#[test]
fn one_decision() {
    let base = spec;
    let with = |change: fn(&mut DeciderSpec)| {
        let mut spec = base();
        change(&mut spec);
        spec
    };
    // (what, spec, load, ready, expected desired)
    let cases = [
        ("no load", base(), 0.0, 0, 0),
        ("the first request", base(), 1.0, 0, 1),
        ("exactly the target", base(), 50.0, 5, 5),
        ("just above the target", base(), 50.001, 5, 6),
        ("scale up rate", with(|s| s.max_scale_up_rate = 2.0), 100.0, 2, 4),
        ("scale up rate rounds up", with(|s| s.max_scale_up_rate = 1.1), 100.0, 2, 3),
        ("scale down rate", base(), 0.0, 1, 0),
        ("activation scale", with(|s| s.activation_scale = 3), 1.0, 0, 3),
        ("activation scale without load", with(|s| s.activation_scale = 3), 0.0, 0, 0),
        ("activation scale does not lower", with(|s| s.activation_scale = 3), 50.0, 5, 5),
    ];
    for (what, spec, load, ready, expect) in cases {
        let windows = steady(&spec, load, 60, 60);
        let decision = Decider::new(0, at(0)).decide(&spec, &windows, ready, at(60));
        assert_eq!((decision.desired, decision.valid), (expect, true), "{what}");
    }
}

#[test]
fn one_step_down_at_most_halves_a_reachable_revision() {
    let windows = steady(&spec(), 10.0, 60, 200);
    let cases = [(Reachability::Reachable, 5), (Reachability::Unknown, 5), (Reachability::Unreachable, 1)];
    for (reachability, expect) in cases {
        let spec = DeciderSpec { reachability, ..spec() };
        let mut decider = Decider::new(0, at(0));
        assert_eq!(decider.decide(&spec, &windows, 10, at(200)).desired, expect, "{reachability:?}");
    }
}

#[test]
fn panic_never_scales_down_and_ends_a_window_after_the_surge() {
    let spec = spec();
    let mut windows = steady(&spec, 10.0, 60, 60);
    let mut decider = Decider::new(1, at(0));
    assert_eq!(decider.decide(&spec, &windows, 1, at(60)).desired, 1);
    assert!(!decider.is_panicking());

    windows.record(at(61), 400.0);
    windows.record(at(62), 400.0);
    let surge = decider.decide(&spec, &windows, 1, at(62)).desired;
    assert!(decider.is_panicking() && surge > 10, "{surge}");

    // The surge is gone; the ready instances followed it.
    for second in 63..=122 {
        windows.record(at(second), 1.0);
        let decision = decider.decide(&spec, &windows, surge, at(second));
        assert!(decision.desired >= surge, "at {second}: {decision:?}");
    }
    windows.record(at(123), 1.0);
    windows.record(at(124), 1.0);
    let calm = decider.decide(&spec, &windows, surge, at(124)).desired;
    assert!(!decider.is_panicking());
    assert!(calm < surge, "{calm}");
}

#[test]
fn what_starts_a_panic_is_configured() {
    let of = |annotation: Option<f64>, configured: f64| {
        let annotations = Annotations {
            target: Some(10.0),
            target_utilization: Some(1.0),
            panic_threshold_percentage: annotation,
            ..Annotations::default()
        };
        let config = Config { panic_threshold_percentage: configured, ..Config::default() };
        let workload = Workload { container_concurrency: 0, reachability: Reachability::Reachable };
        DeciderSpec::new(&annotations, &config, workload)
    };
    // One instance, for which 10 are the target. (annotation, config-autoscaler, load, whether it panics)
    let cases = [
        (None, 200.0, 20.0, true),
        (None, 200.0, 10.0, false),
        (None, 400.0, 20.0, false),
        (None, 400.0, 40.0, true),
        (Some(110.0), 400.0, 20.0, true),
        (Some(1000.0), 200.0, 90.0, false),
        (Some(1000.0), 200.0, 100.0, true),
    ];
    for (annotation, configured, load, expect) in cases {
        let spec = of(annotation, configured);
        let windows = steady(&spec, load, 60, 60);
        let mut decider = Decider::new(1, at(0));
        decider.decide(&spec, &windows, 1, at(60));
        assert_eq!(decider.is_panicking(), expect, "{annotation:?}, {configured}: {load}");
    }
}

#[test]
fn a_new_decider_keeps_what_runs() {
    let spec = spec();
    let windows = Windows::new(&spec, Silence::Idle);
    let mut decider = Decider::new(8, at(1000));
    assert_eq!(decider.decide(&spec, &windows, 8, at(1002)).desired, 8);
    assert_eq!(decider.decide(&spec, &windows, 8, at(1060)).desired, 8);
    assert_eq!(decider.decide(&spec, &windows, 8, at(1062)).desired, 4);
    assert_eq!(Decider::new(1, at(1000)).decide(&spec, &windows, 1, at(1002)).desired, 0);
}

#[test]
fn silence() {
    let spec = spec();
    let decide = |silence| Decider::new(1, at(0)).decide(&spec, &Windows::new(&spec, silence), 1, at(2));
    let unknown = decide(Silence::Unknown);
    assert_eq!((unknown.desired, unknown.valid, unknown.excess_burst_capacity), (-1, false, -201));
    assert_eq!(decide(Silence::Idle).desired, 0);
}

#[test]
fn delayed_scale_down() {
    let spec = DeciderSpec { scale_down_delay: at(10), stable_window: at(6), panic_window: at(1), ..spec() };
    let mut windows = steady(&spec, 40.0, 6, 100);
    let mut decider = Decider::new(0, at(0));
    assert_eq!(decider.decide(&spec, &windows, 4, at(100)).desired, 4);
    let mut followed = Vec::new();
    for second in (102..=116).step_by(2) {
        windows.record(at(second), 10.0);
        followed.push(decider.decide(&spec, &windows, 4, at(second)).desired);
    }
    assert_eq!(followed, [4, 4, 4, 4, 3, 2, 2, 2]);
}

#[test]
fn only_what_nothing_leads_to_scales_down_without_delay() {
    for (reachability, expect) in
        [(Reachability::Reachable, 4), (Reachability::Unknown, 4), (Reachability::Unreachable, 1)]
    {
        let spec = DeciderSpec {
            reachability,
            scale_down_delay: at(10),
            stable_window: at(6),
            panic_window: at(1),
            ..spec()
        };
        let mut windows = steady(&spec, 40.0, 6, 100);
        let mut decider = Decider::new(0, at(0));
        assert_eq!(decider.decide(&spec, &windows, 4, at(100)).desired, 4);
        for second in 101..=108 {
            windows.record(at(second), 10.0);
        }
        assert_eq!(decider.decide(&spec, &windows, 4, at(108)).desired, expect, "{reachability:?}");
    }
}

#[test]
fn room_for_bursts() {
    // (target-burst-capacity, ready, load, expected room, expected activators)
    let cases = [
        (0.0, 5, 10.0, 0, 2),
        (-1.0, 5, 10.0, -1, 2),
        (211.0, 5, 10.0, -171, 3),
        (211.0, 100, 10.0, 779, 13),
        (20.0, 3, 10.5, -1, 2),
        (211.0, 0, 0.0, -211, 3),
    ];
    for (target_burst_capacity, ready, load, room, activators) in cases {
        let spec = DeciderSpec { target_burst_capacity, ..spec() };
        let windows = steady(&spec, load, 60, 60);
        let decision = Decider::new(0, at(0)).decide(&spec, &windows, ready, at(60));
        let got = (decision.excess_burst_capacity, decision.num_activators);
        assert_eq!(got, (room, activators), "{target_burst_capacity} with {ready} and {load}");
    }
}

#[test]
fn who_must_hear() {
    let decision = |desired, excess_burst_capacity, valid| Decision {
        desired,
        excess_burst_capacity,
        num_activators: 2,
        valid,
    };
    let before = decision(2, 5, true);
    let cases = [
        (decision(2, 9, true), false),
        (decision(3, 5, true), true),
        (decision(2, -1, true), true),
        (decision(-1, -1, false), false),
    ];
    for (after, expect) in cases {
        assert_eq!(after.matters_after(&before), expect, "{after:?}");
    }
}

#[test]
fn the_weighted_window_wants_more_while_load_rises() {
    let rising = |aggregation| {
        let spec = DeciderSpec { aggregation, panic_threshold: 1000.0, ..spec() };
        let mut windows = Windows::new(&spec, Silence::Idle);
        for second in 0..60_u64 {
            windows.record(at(second), second as f64);
        }
        Decider::new(0, at(0)).decide(&spec, &windows, 1, at(59)).desired
    };
    assert_eq!((rising(Aggregation::Linear), rising(Aggregation::WeightedExponential)), (3, 6));
}
