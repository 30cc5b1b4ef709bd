use std::fmt::Write as _;

use super::*;
use crate::{Annotations, Config, Reachability, Workload};

/// Target 10, window `window` s, burst capacity 0 unless said.
fn spec(window: u64) -> DeciderSpec {
    let annotations = Annotations {
        target: Some(10.0),
        target_utilization: Some(1.0),
        window: Some(Duration::from_secs(window)),
        ..Annotations::default()
    };
    let workload = Workload { container_concurrency: 0, reachability: Reachability::Reachable };
    DeciderSpec::new(&annotations, &Config::default(), workload)
}

fn load(seconds: u64, concurrency: f64) -> Load {
    Load { seconds, concurrency }
}

/// One line per change: second, replicas, ready, "!" while panicking.
fn changes(steps: &[Step]) -> String {
    let mut text = String::new();
    let mut before = None;
    for step in steps {
        let now = (step.replicas, step.ready, step.panicking);
        if before.replace(now) != Some(now) {
            let panic = if step.panicking { " !" } else { "" };
            writeln!(text, "{:>3}s {:>2} ({} ready){panic}", step.second, step.replicas, step.ready).unwrap();
        }
    }
    text
}

#[track_caller]
fn check(spec: &DeciderSpec, profile: &[Load], initial: i32, startup: u64, expect: &str) {
    let got = changes(&simulate(spec, profile, initial, startup));
    let trim = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(trim(&got), trim(expect), "\ngot:\n{got}");
}

#[test]
fn to_zero_and_back() {
    check(
        &spec(6),
        &[load(40, 0.0), load(5, 1.0)],
        1,
        1,
        "
          1s  1 (1 ready)
         31s  0 (0 ready)
         41s  1 (0 ready)
         42s  1 (1 ready)
        ",
    );
}

#[test]
fn a_burst_is_met_in_panic_and_let_down_by_halves() {
    check(
        &spec(6),
        &[load(10, 5.0), load(6, 200.0), load(20, 5.0)],
        1,
        2,
        "
          1s  1 (1 ready)
         12s 20 (1 ready) !
         14s 20 (20 ready) !
         20s 10 (10 ready)
         22s  5 (5 ready)
         24s  2 (2 ready)
         26s  1 (1 ready)
        ",
    );
}

#[test]
fn steady_load_is_held() {
    check(
        &spec(60),
        &[load(300, 95.0)],
        10,
        1,
        "
          1s 10 (10 ready) !
         62s 10 (10 ready)
        ",
    );
}
