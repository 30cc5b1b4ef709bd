//! What goes wrong is said on the Revision, and goes away when it is mended.

use std::{sync::Arc, time::Duration};

use objects::{DeleteOptions, WriteTarget};
use resources::{
    Object,
    builtin::{Deployment, Event, Pod},
    networking::Ingress,
    serving::{Revision, Service},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    home::{Home, VirtualTime, is, says},
    node::{CRASHES, CRASHES_NOW, LET_GO, LIMITED, MISSING, TRIED_AGAIN, UNSCHEDULABLE},
};

/// What is said at once is said by then.
const AT_ONCE: Duration = Duration::from_secs(5);

fn hello(image: &str) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}})
}

async fn failed(home: &Home) -> Arc<Revision> {
    home.until("hello-00001", "failed", |revision: &Revision| {
        is(&revision.status.conditions, "Ready", "False")
    })
    .await
}

pub(crate) async fn an_image_that_cannot_be_found_is_named_and_found_later(home: &Home) {
    home.apply::<Service>(hello("gcr.io/p/hello:v1")).await;
    let revision = home.within(AT_ONCE, failed(home)).await;
    let message = "Unable to fetch image \"gcr.io/p/hello:v1\": registry gcr.io: manifest unknown";
    assert_eq!(says(&revision.status.conditions, "ContainerHealthy"), ("False", "ContainerMissing", message));
    home.quiet().await;
    home.load(&["gcr.io/p/hello:v1"]);
    home.within(AT_ONCE, home.service_ready("hello")).await;
}

pub(crate) async fn a_name_that_somebody_else_had_is_taken_when_it_is_free(home: &Home) {
    let image = "gcr.io/p/hello:v1";
    home.load(&[image]);
    let labels = json!({"app": "theirs"});
    home.apply::<Deployment>(json!({"metadata": {"name": "hello-00001-deployment"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}}}))
        .await;
    home.apply::<Service>(hello(image)).await;
    let revision = home.within(AT_ONCE, failed(home)).await;
    assert_eq!(says(&revision.status.conditions, "ResourcesAvailable").1, "NotOwned");
    let theirs = home.key("hello-00001-deployment");
    home.client.delete::<Deployment>(&theirs, &DeleteOptions::default()).await.unwrap();
    home.within(Duration::from_secs(40), home.service_ready("hello")).await;
}

pub(crate) async fn a_pod_that_waits_for_its_image_says_so_at_once(home: &Home) {
    home.load(&[MISSING]);
    home.apply::<Service>(hello(MISSING)).await;
    let revision = home.within(AT_ONCE, failed(home)).await;
    let expect = ("False", "ImagePullBackOff", "dev.local/missing is not in the local store");
    assert_eq!(says(&revision.status.conditions, "ResourcesAvailable"), expect);
}

pub(crate) async fn while_an_image_is_looked_for_again_it_is_still_missing(home: &Home, time: &VirtualTime) {
    home.load(&[MISSING]);
    let mut service = hello(MISSING);
    service["spec"]["template"]["metadata"] = json!({"annotations": {
        "serving.knative.dev/progress-deadline": "8s", "autoscaling.knative.dev/min-scale": "1"}});
    home.apply::<Service>(service).await;
    home.within(AT_ONCE, failed(home)).await;
    let first = home.until_all::<Pod>("one", |pods| pods.len() == 1).await;
    let annotate = async |name: &str| {
        let annotate = |pod: &mut Pod| {
            pod.metadata.annotations.get_or_insert_default().insert(name.to_owned(), "true".into());
        };
        home.client.modify(WriteTarget::Object, &first[0].key(), annotate).await.unwrap();
    };
    annotate(TRIED_AGAIN).await;
    // Longer than the deadline and the half minute in which an instance is given up.
    for _ in 0..60 {
        time.pass(Duration::from_secs(1)).await;
        let revision = home.get::<Revision>("hello-00001").await;
        let (status, reason, _) = says(&revision.status.conditions, "ResourcesAvailable");
        assert_eq!((status, reason), ("False", "ImagePullBackOff"));
        assert!(is(&revision.status.conditions, "Ready", "False"), "{:?}", revision.status.conditions);
        let pods = home.client.list::<Pod>(&home.here()).await.unwrap().items;
        assert!(pods.len() == 1 && pods[0].uid() == first[0].uid(), "{pods:?}");
    }
    let events = home.client.list::<Event>(&home.here()).await.unwrap().items;
    let of_revision = |event: &&Arc<Event>| {
        event.involved_object.kind.as_deref() == Some("Revision")
            && event.reason.as_deref() == Some("RevisionFailed")
    };
    let counts: Vec<_> = events.iter().filter(of_revision).map(|event| event.count).collect();
    assert_eq!(counts, [Some(1)], "once, and not for each try");
    annotate(LET_GO).await;
    home.service_ready("hello").await;
}

pub(crate) async fn a_pod_that_no_node_takes_is_a_failure_unless_nodes_are_made_for_it(home: &Home) {
    let unscheduled = |revision: &Revision| {
        says(&revision.status.conditions, "ResourcesAvailable")
            == ("False", "Unschedulable", "0/1 nodes are available")
    };
    home.load(&[UNSCHEDULABLE]);
    home.apply::<Service>(hello(UNSCHEDULABLE)).await;
    home.until("hello-00001", "unscheduled", unscheduled).await;

    home.configure("config-deployment", &[("pod-is-always-schedulable", "true")]).await;
    let mut later = hello(UNSCHEDULABLE);
    later["metadata"]["name"] = json!("later");
    home.apply::<Service>(later).await;
    home.until("later-00001", "on its way", |revision: &Revision| {
        is(&revision.status.conditions, "ResourcesAvailable", "True")
    })
    .await;
    home.quiet().await;
    assert!(!unscheduled(&*home.get::<Revision>("later-00001").await));
}

pub(crate) async fn a_container_that_ends_says_how(home: &Home) {
    home.load(&[CRASHES]);
    home.apply::<Service>(hello(CRASHES)).await;
    let revision = failed(home).await;
    let expect = ("False", "ExitCode3", "Container failed with: no database");
    assert_eq!(says(&revision.status.conditions, "ContainerHealthy"), expect);
}

pub(crate) async fn what_worked_once_and_crashes_now_is_not_ready(home: &Home) {
    let image = "gcr.io/p/hello:v1";
    home.load(&[image]);
    let annotations = json!({"autoscaling.knative.dev/min-scale": "1"});
    let mut service = hello(image);
    service["spec"]["template"]["metadata"] = json!({"annotations": annotations});
    home.apply::<Service>(service).await;
    home.service_ready("hello").await;
    home.quiet().await;
    let pods = home.until_all::<Pod>("one", |pods| pods.len() == 1).await;
    let crash = |pod: &mut Pod| {
        pod.metadata.annotations.get_or_insert_default().insert(CRASHES_NOW.into(), "true".into());
    };
    home.client.modify(WriteTarget::Object, &pods[0].key(), crash).await.unwrap();
    let revision = home.within(AT_ONCE, failed(home)).await;
    let expect = ("False", "ExitCode3", "Container failed with: no database");
    assert_eq!(says(&revision.status.conditions, "ContainerHealthy"), expect);
    home.within(
        AT_ONCE,
        home.until("hello", "not ready", |service: &Service| {
            is(&service.status.conditions, "Ready", "False")
        }),
    )
    .await;
    // It has worked, so its instance is kept: the node tries on.
    home.quiet().await;
    let pods =
        home.until_all::<Pod>("the same", |after| after.len() == 1 && after[0].uid() == pods[0].uid()).await;
    let mend = |pod: &mut Pod| drop(pod.metadata.annotations.as_mut().unwrap().remove(CRASHES_NOW));
    home.client.modify(WriteTarget::Object, &pods[0].key(), mend).await.unwrap();
    home.service_ready("hello").await;
}

pub(crate) async fn what_the_node_leaves_out_is_said_for_information(home: &Home) {
    home.load(&[LIMITED]);
    home.apply::<Service>(hello(LIMITED)).await;
    let revision = home
        .until("hello-00001", "limited", |revision: &Revision| {
            is(&revision.status.conditions, "SpecHonored", "False")
                && is(&revision.status.conditions, "Ready", "True")
        })
        .await;
    let condition = resources::condition::get(&revision.status.conditions, "SpecHonored").unwrap();
    assert_eq!((condition.severity.as_str(), condition.reason.as_str()), ("Info", "ProcessRuntime"));
}

pub(crate) async fn a_class_that_no_gateway_serves_is_named(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let mut service = hello("gcr.io/p/hello:v1");
    service["metadata"]["annotations"] =
        json!({"networking.knative.dev/ingress.class": "nobody.example.com"});
    home.apply::<Service>(service).await;
    let ingress = home
        .until("hello", "refused", |ingress: &Ingress| is(&ingress.status.conditions, "Ready", "False"))
        .await;
    let (_, reason, message) = says(&ingress.status.conditions, "Ready");
    assert_eq!(reason, "UnknownIngressClass");
    assert!(message.contains("nobody.example.com"), "{message}");
    home.until("hello", "refused", |service: &Service| {
        says(&service.status.conditions, "RoutesReady").1 == "UnknownIngressClass"
    })
    .await;
}

pub(crate) async fn of_an_update_it_is_told_when_its_author_can_follow(home: &Home) {
    let image = "gcr.io/p/hello:v1";
    home.load(&[image]);
    home.apply::<Service>(hello(image)).await;
    home.service_ready("hello").await;
    // Twice, since what has failed already is as quick to fail again.
    for revision in ["nope", "nope-either"] {
        let mut service = hello(image);
        service["spec"]["traffic"] = json!([{"revisionName": revision, "percent": 100}]);
        let begun = Instant::now();
        home.apply::<Service>(service).await;
        let refused = home.until("hello", "refused", |service: &Service| {
            service.status.observed_generation == Some(service.generation())
                && is(&service.status.conditions, "Ready", "False")
        });
        let service = home.within(Duration::from_secs(1), refused).await;
        let (_, reason, message) = says(&service.status.conditions, "RoutesReady");
        assert!(reason == "RevisionMissing" && message.contains(revision), "{reason}: {message}");
        assert!(begun.elapsed() >= Duration::from_millis(250), "{:?}", begun.elapsed());
    }
    home.apply::<Service>(hello(image)).await;
    home.service_ready("hello").await;
}
