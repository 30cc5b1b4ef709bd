use super::*;
use crate::{Annotations, Bounds, Config, Workload};

const NOW: Time = Duration::from_secs(10_000);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ago(seconds: u64) -> Time {
    NOW - secs(seconds)
}

/// Window 60 s, grace 30 s, retention 0, burst capacity 211.
fn spec() -> DeciderSpec {
    let workload = Workload { container_concurrency: 0, reachability: Reachability::Reachable };
    DeciderSpec::new(&Annotations::default(), &Config::default(), workload)
}

fn input(desired: i32, activity: Activity) -> ScaleInput {
    ScaleInput {
        desired,
        activity,
        initialized: true,
        proxied_since: None,
        activator_in_path: true,
        progress_deadline: secs(600),
    }
}

#[test]
fn within_bounds() {
    let active = Activity::Active { since: ago(5) };
    let bounded = |min, max| DeciderSpec { bounds: Bounds { min, max }, ..spec() };
    let initial = |initial_scale| DeciderSpec { initial_scale, ..spec() };
    let new = |desired| ScaleInput { initialized: false, ..input(desired, active) };
    // (what, spec, input, expected replicas)
    let cases = [
        ("as desired", spec(), input(3, active), Some(3)),
        ("at least min", bounded(2, 0), input(0, active), Some(2)),
        ("at most max", bounded(0, 4), input(9, active), Some(4)),
        ("unknown", bounded(2, 0), input(-1, active), None),
        ("unknown, activating", bounded(2, 0), input(-1, Activity::Activating { since: ago(1) }), Some(2)),
        ("initial scale", initial(3), new(1), Some(3)),
        ("initial scale, reached", initial(3), input(1, active), Some(1)),
        (
            "initial scale, unreachable",
            DeciderSpec { reachability: Reachability::Unreachable, ..initial(3) },
            new(1),
            Some(1),
        ),
    ];
    for (what, spec, input, expect) in cases {
        assert_eq!(scale(&spec, &input, NOW).to, expect, "{what}");
    }
}

#[test]
fn the_way_to_zero() {
    let activating = |seconds| input(0, Activity::Activating { since: ago(seconds) });
    let active = |seconds| input(0, Activity::Active { since: ago(seconds) });
    let inactive = |seconds| input(0, Activity::Inactive { since: ago(seconds) });
    let proxied = |seconds, input| ScaleInput { proxied_since: Some(ago(seconds)), ..input };
    let hidden = |input| ScaleInput { activator_in_path: false, ..input };
    let never = DeciderSpec { scale_to_zero: false, ..spec() };
    let kept = |seconds| DeciderSpec { scale_to_zero_pod_retention_period: secs(seconds), ..spec() };
    let always_proxied = DeciderSpec { target_burst_capacity: -1.0, ..spec() };
    let hold = ScaleAction::hold;
    let set = ScaleAction::set;

    let cases = [
        ("disabled", never, active(100), set(1)),
        ("activating", spec(), activating(10), hold(-1).again_after(secs(620))),
        ("activation failed", spec(), activating(630), set(0)),
        ("active for less than the window", spec(), active(20), set(1).again_after(secs(40))),
        ("active for the window", spec(), active(60), hold(0)),
        ("activator not in the path", spec(), hidden(inactive(100)), ScaleAction { probe: true, ..hold(0) }),
        ("activator always in the path", always_proxied, hidden(inactive(100)), set(0)),
        ("inactive for the grace", spec(), inactive(30), set(0)),
        ("just inactive, activator new", spec(), inactive(1), hold(0).again_after(secs(30))),
        (
            "just inactive, activator for a while",
            spec(),
            proxied(10, inactive(1)),
            hold(0).again_after(secs(20)),
        ),
        ("just inactive, activator long there", spec(), proxied(30, inactive(1)), set(0)),
        ("retention pending", kept(50), proxied(90, inactive(31)), hold(0).again_after(secs(19))),
        ("retention over, grace by proxy", kept(10), proxied(30, inactive(12)), set(0)),
        ("retention over, grace pending", kept(10), proxied(12, inactive(12)), hold(0).again_after(secs(18))),
        ("retention over", kept(50), inactive(50), set(0)),
    ];
    for (what, spec, input, expect) in cases {
        assert_eq!(scale(&spec, &input, NOW), expect, "{what}");
    }
}

#[test]
fn modes() {
    let cases =
        [(1, 0, SksMode::Serve), (1, -1, SksMode::Proxy), (0, 5, SksMode::Proxy), (-1, 5, SksMode::Proxy)];
    for (want, room, expect) in cases {
        assert_eq!(sks_mode(want, room), expect, "want {want}, room {room}");
    }
}
