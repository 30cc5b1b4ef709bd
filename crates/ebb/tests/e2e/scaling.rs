//! To zero and back, and never two requests at once where one is the limit.

use std::thread;

use crate::rig::{Ebb, need_kubectl, need_root};

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
