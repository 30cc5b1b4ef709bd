//! Images that are not there, and then are.

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl, until};

#[test]
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
    let failed = until(|| {
        let service = ebb.object("ksvc", "late")?;
        let ready = condition(&service, "ConfigurationsReady")?.clone();
        (ready["status"] == "False").then_some(ready)
    });
    let failed = failed.expect("the service says why");
    // Both times are the platform's own, so a slow test machine does not count.
    let created = ebb.object("ksvc", "late").unwrap()["metadata"]["creationTimestamp"].clone();
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let took = time(&failed["lastTransitionTime"]).duration_since(time(&created));
    assert!(took.as_secs() <= 5, "{took}");
    let message = failed["message"].as_str().unwrap();
    for part in ["127.0.0.1:9", "team/late", "unreachable"] {
        assert!(message.contains(part), "{part} in {message}");
    }

    ebb.load("127.0.0.1:9/team/late:1");
    let url = ebb.ready("late");
    assert_eq!(ebb.call(&url).status, 200);
}
