//! The manifests that users bring, applied as they are.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::rig::{Ebb, condition, need_kubectl, need_shared, until};

/// The images that the manifests name.
const IMAGES: &[&str] = &[
    "gcr.io/my-project/order-service:v1",
    "gcr.io/my-project/order-service:v2",
    "gcr.io/my-project/service:v1",
];

/// The service that each manifest makes ready.
const ALONE: &[(&str, &str)] = &[
    ("01-order-service", "order-service"),
    ("02-high-concurrency", "high-concurrency-service"),
    ("03-scale-to-zero", "scale-to-zero-service"),
    ("04-concurrency-metric", "rps-based-service"),
    ("07-readiness-probe", "order-service"),
    ("08-resource-limits", "resource-limited-service"),
];

fn platform() -> Ebb {
    let ebb = Ebb::up();
    IMAGES.iter().for_each(|image| ebb.load(image));
    ebb
}

fn apply(ebb: &Ebb, dir: &Path, name: &str) {
    ebb.apply(&fs::read_to_string(dir.join(format!("{name}.yaml"))).unwrap());
}

fn serves(ebb: &Ebb, service: &str) {
    let url = ebb.ready(service);
    let answer = ebb.call(&url);
    assert_eq!(answer.status, 200, "{service}: {}", answer.body);
}

#[test]
fn each_is_ready_and_serves_in_either_order() {
    const NAME: &str = "each_is_ready_and_serves_in_either_order";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    let backwards: Vec<_> = ALONE.iter().rev().copied().collect();
    for order in [ALONE, &backwards] {
        let ebb = platform();
        for (manifest, service) in order {
            apply(&ebb, &dir, manifest);
            serves(&ebb, service);
        }
    }
}

#[test]
fn blue_green_and_canary_follow_each_other() {
    const NAME: &str = "blue_green_and_canary_follow_each_other";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    for order in
        [["05-canary", "06-blue-green", "05-canary"], ["06-blue-green", "05-canary", "06-blue-green"]]
    {
        let ebb = platform();
        apply(&ebb, &dir, "00-order-service-v1");
        let url = ebb.ready("order-service");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // From the first answer on, no request fails, whatever is applied.
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let answer = ebb.call(&url);
                    assert_eq!(answer.status, 200, "between two manifests: {}", answer.body);
                }
            });
            let _end = SetOnDrop(&over);
            for manifest in order {
                apply(&ebb, &dir, manifest);
                ebb.ready("order-service");
                let two = share_of_v2(&ebb, &url, 2000);
                let expect = if manifest == "05-canary" { 140..=260 } else { 2000..=2000 };
                assert!(expect.contains(&two), "{manifest}: {two} of 2000 for the new revision");
            }
        });
    }
}

/// Ends the other thread also when this one fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many of so many calls the second version answers.
fn share_of_v2(ebb: &Ebb, url: &str, calls: usize) -> usize {
    let answers = (0..calls).map(|_| ebb.call(&format!("{url}/version")));
    answers
        .filter(|answer| {
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body.trim() == "v2"
        })
        .count()
}

#[test]
fn a_canary_without_its_other_half_says_what_is_missing() {
    const NAME: &str = "a_canary_without_its_other_half_says_what_is_missing";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    let ebb = platform();
    apply(&ebb, &dir, "05-canary");
    let ready = until(|| {
        let route = ebb.object("route", "order-service")?;
        let ready = condition(&route, "Ready")?.clone();
        (ready["reason"] == "RevisionMissing").then_some(ready)
    });
    let message = ready.expect("the route says so")["message"].to_string();
    assert!(message.contains("order-service-v1"), "{message}");
}
