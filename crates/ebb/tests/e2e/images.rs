//! Images that are not there, and then are.

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl};

#[test]
#[allow(clippy::disallowed_methods, reason = "how long another process takes is what is shown")]
fn a_missing_image_is_named_and_taken_when_it_appears() {
    if !need_kubectl("a_missing_image_is_named_and_taken_when_it_appears") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: late}
spec: {template: {spec: {containers: [{image: "127.0.0.1:9/team/late:1"}]}}}
"#,
    );
    let failed = ebb.settled("revision", "late-00001", |revision| {
        condition(revision, "ContainerHealthy").is_some_and(|it| it["status"] == "False")
    });
    // All times are the platform's own, so a slow test machine does not count.
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    for name in ["ContainerHealthy", "Ready"] {
        let told = condition(&failed, name).unwrap();
        assert_eq!(
            (&told["status"], &told["reason"]),
            (&"False".into(), &"ContainerMissing".into()),
            "{failed}"
        );
        let took =
            time(&told["lastTransitionTime"]).duration_since(time(&failed["metadata"]["creationTimestamp"]));
        // Both are cut to whole seconds, so a difference of four is less than five.
        assert!(took.as_secs() < 5, "{took}");
        let message = told["message"].as_str().unwrap();
        for part in ["127.0.0.1:9", "team/late", "unreachable"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    let told = |service: &Value| {
        let ready = condition(service, "ConfigurationsReady").cloned().unwrap_or_default();
        ready["reason"] == "RevisionFailed" && ready["message"].as_str().unwrap().contains("team/late")
    };
    ebb.settled("ksvc", "late", told);

    ebb.load("127.0.0.1:9/team/late:1");
    let appeared = jiff::Timestamp::now();
    let url = ebb.ready("late");
    let ready = ebb.object("ksvc", "late").unwrap();
    let took = time(&condition(&ready, "Ready").unwrap()["lastTransitionTime"]).duration_since(appeared);
    // The condition's time is cut to a whole second.
    assert!(took.as_millis() <= 4_000, "{took}, without an edit");
    assert_eq!(ready["metadata"]["generation"], 1);
    assert_eq!(ebb.call(&url).status, 200);
}

#[test]
fn the_demos_image_is_had_without_the_demo() {
    if !need_kubectl("the_demos_image_is_had_without_the_demo") {
        return;
    }
    let ebb = Ebb::up();
    let archive = ebb.dir().join("sample.tar");
    let archive = archive.to_str().unwrap();
    let told = ebb.ebb_says(&["demo", "--image", archive]);
    assert!(told.contains(&format!("ebb image load {archive}")), "{told}");
    ebb.ebb_says(&["image", "load", archive]);
    let command =
        format!("{0} demo --image - | {0} image load - --name dev.local/again:1", env!("CARGO_BIN_EXE_ebb"));
    let piped = ebb.command("sh").args(["-c", &command]).output().unwrap();
    assert!(piped.status.success(), "{piped:?}");
    for image in ["dev.local/hello:1", "dev.local/again:1"] {
        assert!(ebb.ebb_says(&["image", "list"]).contains(image.split_once(':').unwrap().0), "{image}");
    }
    ebb.ebb_says(&["service", "create", "own", "--image", "dev.local/again:1"]);
    assert_eq!(ebb.call(&ebb.ready("own")).body, "Hello World!\n");
}

/// A pod by its image and what is done to get it.
fn pulling(name: &str, image: &str, policy: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{containers: [{{name: main, image: "{image}", imagePullPolicy: {policy}}}]}}
---
"#
    )
}

#[test]
fn the_pull_policy_says_where_an_image_comes_from() {
    const NAME: &str = "the_pull_policy_says_where_an_image_comes_from";
    if !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::up();
    let loaded = "127.0.0.1:9/team/loaded:1";
    ebb.load(loaded);
    // (pod, image, policy, waits for, what its message says)
    let cases = [
        ("there-never", "dev.local/hello:1", "Never", None, ""),
        ("there", "dev.local/hello:1", "IfNotPresent", None, ""),
        // Nothing can be asked, but what was loaded is better than nothing.
        ("there-always", "dev.local/hello:1", "Always", None, ""),
        ("there-anyway", loaded, "Always", None, ""),
        (
            "never",
            "dev.local/none:1",
            "Never",
            Some("ErrImageNeverPull"),
            r#"Container image "dev.local/none:1" is not present with pull policy of Never"#,
        ),
        ("local", "dev.local/late:1", "IfNotPresent", Some("Err"), "ebb image load"),
        ("local-always", "ko.local/late:1", "Always", Some("Err"), "ebb image load"),
        ("asked", "127.0.0.1:9/team/none:1", "IfNotPresent", Some("Err"), "unreachable"),
        ("wrong", "UPPER/Case", "IfNotPresent", Some("InvalidImageName"), "UPPER/Case"),
    ];
    let manifests: String =
        cases.iter().map(|(name, image, policy, ..)| pulling(name, image, policy)).collect();
    ebb.apply(&manifests);
    for (name, _, _, waits, says) in cases {
        let state = |pod: &Value| pod["status"]["containerStatuses"][0]["state"].clone();
        let is = |pod: &Value| match waits {
            None => state(pod)["running"].is_object(),
            Some(reason) => {
                let waiting = &state(pod)["waiting"];
                let told =
                    |field: &str, part: &str| waiting[field].as_str().is_some_and(|text| text.contains(part));
                // After its first failure an image is being backed off from.
                (told("reason", reason) || told("reason", "ImagePullBackOff")) && told("message", says)
            }
        };
        ebb.settled("pod", name, is);
    }
    ebb.load("dev.local/late:1");
    ebb.in_phase("local", "Running");
}
