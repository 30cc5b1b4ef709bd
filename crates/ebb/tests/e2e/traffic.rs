//! Revisions and how requests are split between them.

use serde_json::json;

use crate::rig::{Ebb, condition, need_kubectl, until};

fn service(revision: &str, version: &str, traffic: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: shop}}
spec:
  template:
    metadata: {{name: {revision}}}
    spec: {{containers: [{{image: "dev.local/hello:1", env: [{{name: VERSION, value: {version}}}]}}]}}
  traffic: {traffic}
"#
    )
}

const LATEST: &str = "[{latestRevision: true, percent: 100}]";

fn versions(ebb: &Ebb, url: &str, calls: usize) -> (usize, usize) {
    let answers = (0..calls).map(|_| ebb.call(&format!("{url}/version")));
    let (mut one, mut two) = (0, 0);
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.body);
        match answer.body.trim() {
            "one" => one += 1,
            "two" => two += 1,
            other => panic!("{other:?}"),
        }
    }
    (one, two)
}

#[test]
fn a_canary_gets_its_share_then_everything() {
    if !need_kubectl("a_canary_gets_its_share_then_everything") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service("shop-one", "one", LATEST));
    let url = ebb.ready("shop");
    assert_eq!(versions(&ebb, &url, 20), (20, 0));

    ebb.apply(&service(
        "shop-two",
        "two",
        "[{revisionName: shop-one, percent: 90}, {latestRevision: true, percent: 10, tag: next}]",
    ));
    ebb.ready("shop");
    let (_, two) = versions(&ebb, &url, 1000);
    assert!((60..=140).contains(&two), "{two} of 1000 for a tenth");
    assert_eq!(
        versions(&ebb, &url.replace("shop.", "next-shop."), 10),
        (0, 10),
        "a tag has a host of its own"
    );
    assert!(ebb.object("endpoints", "next-shop").is_some(), "which has a name in the cluster");

    ebb.apply(&service(
        "shop-two",
        "two",
        "[{revisionName: shop-one, percent: 0}, {latestRevision: true, percent: 100}]",
    ));
    ebb.ready("shop");
    assert_eq!(versions(&ebb, &url, 50), (0, 50));
    let listed = ebb.object("ksvc", "shop").unwrap()["status"]["traffic"].to_string();
    assert!(listed.contains("shop-one"), "a target without a share stays listed: {listed}");
    until(|| ebb.object("svc", "next-shop").is_none().then_some(())).expect("a tag's name goes with it");
    assert!(ebb.object("endpoints", "next-shop").is_none(), "and what that led to");
}

#[test]
fn a_missing_revision_is_named_and_taken_when_it_appears() {
    if !need_kubectl("a_missing_revision_is_named_and_taken_when_it_appears") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service(
        "shop-two",
        "two",
        "[{revisionName: shop-one, percent: 90}, {latestRevision: true, percent: 10}]",
    ));
    let missing = until(|| {
        let route = ebb.object("route", "shop")?;
        let ready = condition(&route, "Ready")?.clone();
        (ready["reason"] == "RevisionMissing").then_some(ready)
    });
    assert!(missing.expect("the route says so")["message"].as_str().unwrap().contains("shop-one"));
    // The same Service makes the missing revision, and then asks for the split again.
    ebb.apply(&service(
        "shop-one",
        "one",
        "[{revisionName: shop-one, percent: 90}, {revisionName: shop-two, percent: 10}]",
    ));
    let url = ebb.ready("shop");
    let (one, two) = versions(&ebb, &url, 200);
    assert!(one > two && two > 0, "{one} {two}");
}

#[test]
fn a_route_of_its_own_serves_within_the_timeouts_of_its_revisions() {
    if !need_kubectl("a_route_of_its_own_serves_within_the_timeouts_of_its_revisions") {
        return;
    }
    let ebb = Ebb::up();
    let manifest = |annotations: &str, patient: u32| {
        format!(
            r#"
apiVersion: serving.knative.dev/v1
kind: Configuration
metadata: {{name: app}}
spec:
  template:
    spec: {{timeoutSeconds: {patient}, containers: [{{image: "dev.local/hello:1"}}]}}
---
apiVersion: serving.knative.dev/v1
kind: Route
metadata: {{name: door, annotations: {{{annotations}}}}}
spec: {{traffic: [{{configurationName: app, percent: 100}}]}}
"#
        )
    };
    let served = |generation: u32| {
        let url = until(|| {
            let route = ebb.object("route", "door")?;
            let here = format!("app-{generation:05}");
            let to = route["status"]["traffic"][0]["revisionName"] == here.as_str();
            (to && condition(&route, "Ready")?["status"] == "True")
                .then(|| route["status"]["url"].as_str().unwrap().to_owned())
        });
        url.unwrap_or_else(|| panic!("{:?}", ebb.object("route", "door")))
    };
    ebb.apply(&manifest("", 1));
    let url = served(1);
    assert_eq!(ebb.call(&url).status, 200);
    let late = ebb.call(&format!("{url}/sleep?ms=3000"));
    assert_eq!((late.status, late.body.lines().next()), (504, Some("request timeout")));

    let gradual = manifest("serving.knative.dev/rollout-duration: 60s", 30);
    let told = ebb.try_kubectl(&["apply", "-f", "-"], &gradual);
    let told = crate::rig::text(&told.stderr);
    assert!(told.contains("Warning: ") && told.contains("traffic moves to a new Revision at once"), "{told}");
    let url = served(2);
    assert_eq!(ebb.call(&format!("{url}/sleep?ms=1500")).status, 200);
}

#[test]
fn an_unknown_host_is_not_found() {
    let ebb = Ebb::up();
    let answer = ebb.call(&format!("http://nobody.default.localhost:{}/", ebb.http.port()));
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[test]
fn no_request_fails_while_the_configuration_changes() {
    if !need_kubectl("no_request_fails_while_the_configuration_changes") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service("shop-one", "one", LATEST));
    let url = ebb.ready("shop");
    ebb.called(|calls| {
        calls.begin(&url);
        // Each map that has to do with what is running, there and back.
        for round in 0..2 {
            for (map, key, values) in [
                ("config-autoscaler", "container-concurrency-target-default", ["50", "100"]),
                ("config-autoscaler", "min-scale", ["2", "0"]),
                ("config-deployment", "progress-deadline", ["500s", "600s"]),
                ("config-defaults", "revision-timeout-seconds", ["200", "300"]),
                ("config-features", "tag-header-based-routing", ["enabled", "disabled"]),
                ("config-network", "rollout-duration", ["1", "0"]),
            ] {
                ebb.configure(map, &json!({ key: values[round] }));
            }
            let two = || {
                let deployment = ebb.object("deployment", "shop-one-deployment")?;
                (deployment["status"]["readyReplicas"] == 2).then_some(())
            };
            assert!(round == 1 || until(two).is_some(), "min-scale takes effect");
            ebb.ready("shop");
        }
    });
}
