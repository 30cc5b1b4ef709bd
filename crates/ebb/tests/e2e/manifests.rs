//! The manifests that users bring, applied as they are.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::rig::{Ebb, condition, need_kubectl, need_shared};

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

#[test]
fn each_is_ready_and_serves_in_either_order() {
    const NAME: &str = "each_is_ready_and_serves_in_either_order";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    let backwards: Vec<_> = ALONE.iter().rev().copied().collect();
    for order in [ALONE, &backwards] {
        let ebb = platform();
        // From its first answer on no request to a service fails, whatever is applied.
        ebb.called(|calls| {
            for (manifest, service) in order {
                apply(&ebb, &dir, manifest);
                let url = ebb.ready(service);
                let answer = ebb.call(&url);
                assert_eq!(answer.status, 200, "{service}: {}", answer.body);
                calls.begin(&url);
            }
        });
    }
}

#[test]
fn blue_green_and_canary_follow_each_other() {
    const NAME: &str = "blue_green_and_canary_follow_each_other";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    for (order, blue_rests_after) in [
        (["05-canary", "06-blue-green", "05-canary"], 1),
        (["06-blue-green", "05-canary", "06-blue-green"], 2),
    ] {
        let ebb = platform();
        // What nothing leads to falls to zero soon, and is collected at once.
        ebb.configure("config-autoscaler", &json!({"stable-window": "6s"}));
        let nothing_is_kept = json!({"retain-since-create-time": "1s", "retain-since-last-active-time": "1s",
            "min-non-active-revisions": "0", "max-non-active-revisions": "0"});
        ebb.configure("config-gc", &nothing_is_kept);
        apply(&ebb, &dir, "00-order-service-v1");
        let url = ebb.ready("order-service");
        ebb.called(|calls| {
            calls.begin(&url);
            for (at, manifest) in order.into_iter().enumerate() {
                apply(&ebb, &dir, manifest);
                ebb.ready("order-service");
                let two = share_of_v2(&ebb, &url, 2000);
                let expect = if manifest == "05-canary" { 140..=260 } else { 2000..=2000 };
                assert!(expect.contains(&two), "{manifest}: {two} of 2000 for the new revision");
                if at == blue_rests_after {
                    ebb.at_zero("serving.knative.dev/revision=order-service-v1");
                }
                // Whatever its share is, the first version is there, and is said to be.
                assert!(ebb.object("revision", "order-service-v1").is_some(), "{manifest}: it is collected");
                let blue = if manifest == "05-canary" { 90 } else { 0 };
                assert_eq!(
                    shares(&ebb),
                    [("order-service-v1".into(), blue), ("order-service-v2".into(), 100 - blue)]
                );
            }
        });
    }
}

/// The revisions of `status.traffic` and what each gets.
fn shares(ebb: &Ebb) -> Vec<(String, i64)> {
    let service = ebb.object("ksvc", "order-service").unwrap();
    let share = |target: &Value| {
        (target["revisionName"].as_str().unwrap().to_owned(), target["percent"].as_i64().unwrap())
    };
    service["status"]["traffic"].as_array().unwrap().iter().map(share).collect()
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

/// The revision that the canary lacks, as its Configuration would have made it.
const BLUE: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Revision
metadata:
  name: order-service-v1
  labels: {serving.knative.dev/service: order-service, serving.knative.dev/configuration: order-service}
  ownerReferences: [{apiVersion: serving.knative.dev/v1, kind: Configuration, name: order-service, uid: UID, controller: true}]
spec: {containers: [{image: "gcr.io/my-project/order-service:v1"}]}
"#;

#[test]
fn a_canary_without_its_other_half_names_it_and_is_ready_when_it_appears() {
    const NAME: &str = "a_canary_without_its_other_half_names_it_and_is_ready_when_it_appears";
    let Some(dir) = need_shared(NAME, "manifests/serving").filter(|_| need_kubectl(NAME)) else { return };
    let ebb = platform();
    apply(&ebb, &dir, "05-canary");
    let route = ebb.settled("route", "order-service", |route| {
        condition(route, "Ready").is_some_and(|ready| ready["reason"] == "RevisionMissing")
    });
    let message = condition(&route, "Ready").unwrap()["message"].to_string();
    assert!(message.contains("order-service-v1"), "{message}");
    // Nothing but the revision is applied, and the Service is not touched.
    let before = ebb.object("ksvc", "order-service").unwrap();
    let configuration = ebb.object("configuration", "order-service").unwrap();
    ebb.apply(&BLUE.replace("UID", configuration["metadata"]["uid"].as_str().unwrap()));
    let url = ebb.ready("order-service");
    let after = ebb.object("ksvc", "order-service").unwrap();
    assert_eq!(
        (&before["spec"], &before["metadata"]["generation"]),
        (&after["spec"], &after["metadata"]["generation"])
    );
    assert_eq!(shares(&ebb), [("order-service-v1".into(), 90), ("order-service-v2".into(), 10)]);
    let two = share_of_v2(&ebb, &url, 200);
    assert!((1..100).contains(&two), "{two} of 200 for the second");
}
