//! To zero and back, to more and fewer; and never two requests at once where one is the limit.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use crate::rig::{Ebb, need_kubectl, need_root, until};

/// A service that falls to zero as soon as upstream's rules allow.
fn service(name: &str, spec: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/window: 6s
    spec:
      {spec}
      containers: [{{image: "dev.local/hello:1"}}]
"#
    )
}

fn to_zero_and_back(ebb: &Ebb) {
    ebb.apply(&service("hello", ""));
    let url = ebb.ready("hello");
    let warm = ebb.call(&url);
    assert_eq!((warm.status, warm.body.trim()), (200, "Hello World!"));
    ebb.at_zero("serving.knative.dev/service=hello");
    let cold = ebb.call(&url);
    assert_eq!((cold.status, cold.body.trim()), (200, "Hello World!"));
    let timing = cold.header("server-timing").expect("a cold start is told");
    for part in ["queue", "schedule", "sandbox", "start", "connect"] {
        assert!(timing.contains(&format!("{part};dur=")), "{timing}");
    }
    assert_eq!(ebb.call(&url).header("server-timing"), None, "a warm request has nothing to tell");
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
    ebb.apply(&service("single", "containerConcurrency: 1"));
    let url = ebb.ready("single");
    thread::scope(|scope| {
        let call = || {
            for _ in 0..2 {
                let answer = ebb.call(&format!("{url}/concurrency?ms=20"));
                // Its queue holds ten for each instance; the others are turned away at once, with a hint.
                match answer.status {
                    200 => {}
                    503 => assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.head),
                    other => panic!("{other}: {}", answer.body),
                }
            }
        };
        (0..50).for_each(|_| drop(scope.spawn(call)));
    });
    let answer = ebb.call(&format!("{url}/concurrency"));
    assert!(answer.body.contains('1') && !answer.body.contains('2'), "{}", answer.body);
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
    ebb.apply(&service("busy", "containerConcurrency: 1"));
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
