//! To zero and back, to more and fewer; and never two requests at once where one is the limit.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use crate::rig::{Ebb, condition, need_kubectl, need_root, service_soon_idle, service_soon_idle_with, until};

/// A user's probe: by a kubelet it would be asked for the first time when most callers have given up.
const PROBE: &str =
    ", readinessProbe: {httpGet: {path: /healthz, port: 8080}, initialDelaySeconds: 20, periodSeconds: 10}";
const INITIAL_DELAY_MS: f64 = 20_000.0;

/// A part of a cold start, in milliseconds.
fn part(server_timing: &str, name: &str) -> Option<f64> {
    let parts = server_timing.split(',').filter_map(|part| part.trim().split_once(";dur="));
    parts.filter(|(found, _)| *found == name).find_map(|(_, took)| took.parse().ok())
}

fn to_zero_and_back(ebb: &Ebb) {
    ebb.apply(&service_soon_idle("hello"));
    ebb.apply(&service_soon_idle_with("probed", "", "", PROBE));
    let (url, probed) = (ebb.ready("hello"), ebb.ready("probed"));
    let warm = ebb.call(&url);
    assert_eq!((warm.status, warm.body.trim()), (200, "Hello World!"));
    ebb.at_zero("serving.knative.dev/service=hello");
    let cold = ebb.call(&url);
    assert_eq!((cold.status, cold.body.trim()), (200, "Hello World!"));
    let timing = cold.header("server-timing").expect("a cold start is told");
    for name in ["queue", "schedule", "sandbox", "start", "connect"] {
        assert!(part(timing, name).is_some(), "{name} in {timing}");
    }
    assert_eq!(ebb.call(&url).header("server-timing"), None, "a warm request has nothing to tell");

    // The probe of who waits for an instance begins at once, whatever the user's own timings are.
    ebb.at_zero("serving.knative.dev/service=probed");
    let at_zero = ebb.settled("revision", "probed-00001", |revision| {
        (&revision["status"]["actualReplicas"], &revision["status"]["desiredReplicas"])
            == (&0.into(), &0.into())
    });
    assert_eq!(condition(&at_zero, "Active").unwrap()["reason"], "NoTraffic");
    let cold = ebb.call(&probed);
    assert_eq!(cold.status, 200, "{}", cold.body);
    let waited = part(cold.header("server-timing").unwrap(), "queue").unwrap();
    assert!(waited < INITIAL_DELAY_MS / 4.0, "{waited} ms, of which most for nothing");
    let up = ebb.object("revision", "probed-00001").unwrap();
    let created: jiff::Timestamp = up["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
    let ready: jiff::Timestamp =
        condition(&up, "Ready").unwrap()["lastTransitionTime"].as_str().unwrap().parse().unwrap();
    assert!(ready.duration_since(created).as_millis_f64() < INITIAL_DELAY_MS / 2.0, "ready at {ready}: {up}");
}

#[test]
fn containers_fall_to_zero_and_wake() {
    const NAME: &str = "containers_fall_to_zero_and_wake";
    if need_root(NAME) && need_kubectl(NAME) {
        to_zero_and_back(&Ebb::with_runtime("container"));
    }
}

#[test]
fn processes_fall_to_zero_and_wake() {
    if need_kubectl("processes_fall_to_zero_and_wake") {
        to_zero_and_back(&Ebb::with_runtime("process"));
    }
}

#[test]
fn one_request_at_a_time() {
    if !need_kubectl("one_request_at_a_time") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service_soon_idle_with("single", "", "containerConcurrency: 1", ""));
    let alone = "autoscaling.knative.dev/max-scale: '1'";
    let limits = "containerConcurrency: 1\n      timeoutSeconds: 3";
    ebb.apply(&service_soon_idle_with("patient", alone, limits, ""));
    let url = ebb.ready("single");
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        let call = || {
            for _ in 0..2 {
                let answer = ebb.call(&format!("{url}/concurrency?ms=20"));
                // Its queue holds ten for each instance; the others are turned away at once, with a hint.
                match answer.status {
                    // The most requests that the instance has ever seen at once.
                    200 => {
                        assert_eq!(answer.body.trim(), "1");
                        served.fetch_add(1, Relaxed);
                    }
                    503 => assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.head),
                    other => panic!("{other}: {}", answer.body),
                }
            }
        };
        (0..50).for_each(|_| drop(scope.spawn(call)));
    });
    assert!(served.into_inner() >= 11, "one in hand and ten in the queue are served");

    // Of two, each alone within the time, the second has used up most of it behind the first.
    let slow = format!("{}/sleep?ms=2000", ebb.ready("patient"));
    let mut answers = thread::scope(|scope| {
        let asked = [(); 2].map(|()| scope.spawn(|| timed(|| ebb.call(&slow))));
        asked.map(|answer| answer.join().unwrap())
    });
    answers.sort_by_key(|(answer, _)| answer.status);
    let [(first, _), (second, took)] = answers;
    assert_eq!(
        (first.status, second.status, second.body.lines().next()),
        (200, 504, Some("request timeout"))
    );
    assert!((3000..4000).contains(&took.as_millis()), "{took:?}, of which it was in hand for a second");
}

#[allow(clippy::disallowed_methods, reason = "how long another process takes is what is shown")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

/// How many instances a Deployment is to have.
fn wanted(ebb: &Ebb, deployment: &str) -> u64 {
    ebb.object("deployment", deployment).and_then(|found| found["spec"]["replicas"].as_u64()).unwrap_or(0)
}

#[test]
fn no_request_fails_while_instances_come_and_go() {
    const NAME: &str = "no_request_fails_while_instances_come_and_go";
    const DEPLOYMENT: &str = "busy-00001-deployment";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(&service_soon_idle_with("busy", "", "containerConcurrency: 1", ""));
    let url = ebb.ready("busy");
    let slow = format!("{url}/sleep?ms=50");
    let (crowd, alone) = (AtomicBool::new(true), AtomicBool::new(true));
    // Each request has a connection of its own, so each could be refused.
    let calls = |go_on: &AtomicBool| {
        while go_on.load(Relaxed) {
            let answer = ebb.call(&slow);
            assert_eq!(answer.status, 200, "{}{}", answer.head, answer.body);
        }
    };
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| calls(&crowd))));
        scope.spawn(|| calls(&alone));
        let more = until(|| (wanted(&ebb, DEPLOYMENT) >= 3).then_some(()));
        crowd.store(false, Relaxed);
        let fewer = until(|| (wanted(&ebb, DEPLOYMENT) <= 2).then_some(()));
        alone.store(false, Relaxed);
        assert!(more.is_some() && fewer.is_some(), "it follows its load: {more:?}, {fewer:?}");
    });
    // Requests that come just when the last instance is told to go wait for the next one.
    for _ in 0..3 {
        assert!(until(|| (wanted(&ebb, DEPLOYMENT) == 0).then_some(())).is_some(), "it falls to zero");
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| assert_eq!(ebb.call(&url).status, 200))));
        });
    }
}
