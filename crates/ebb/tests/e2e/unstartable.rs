//! Services whose instances cannot start: callers are told, and need not wait.

use crate::rig::{Answer, Ebb, need_kubectl, service_soon_idle, until};

fn assert_says_why(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}\n{}", answer.head, answer.body);
    assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.head);
    for part in
        ["revision hello-00001 cannot start: ImagePullBackOff\n", "`kubectl describe revision hello-00001 "]
    {
        assert!(answer.body.contains(part), "{part} in {}", answer.body);
    }
    assert!(!answer.body.contains("dev.local"), "what its image is called is for its owner: {}", answer.body);
}

#[test]
fn an_image_that_is_gone_is_told_to_callers_until_it_is_back() {
    if !need_kubectl("an_image_that_is_gone_is_told_to_callers_until_it_is_back") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(&service_soon_idle("hello"));
    let url = ebb.ready("hello");
    ebb.at_zero("serving.knative.dev/service=hello");
    ebb.ebb_says(&["image", "remove", "dev.local/hello:1", "--force"]);
    // The first one has waited until it had failed twice, the next one need not.
    assert_says_why(&ebb.call(&url));
    assert_says_why(&ebb.call(&url));
    let of_service = "--field-selector=involvedObject.kind=Service,reason=RevisionFailed";
    let told = || ebb.kubectl(&["get", "events", of_service]).contains("ebb image load").then_some(());
    assert!(until(told).is_some(), "{}", ebb.kubectl(&["get", "events"]));

    // The same archive as before.
    ebb.ebb_says(&["image", "load", ebb.dir().join("hello.tar").to_str().unwrap()]);
    assert!(until(|| (ebb.call(&url).status == 200).then_some(())).is_some(), "{}", ebb.call(&url).body);
}
