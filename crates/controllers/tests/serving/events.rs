//! What users are told by events, and that it is not told for ever.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use resources::{
    Object,
    autoscaling::PodAutoscaler,
    builtin::{Deployment, Event, Pod},
    serving::{Configuration, Revision, Service},
};
use serde_json::json;

use crate::{
    home::{Home, VirtualTime, is},
    node::CRASHES,
    scaling::at_zero,
};

const IMAGE: &str = "gcr.io/p/hello:v1";

fn hello(image: &str) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {
        "metadata": {"annotations": {"autoscaling.knative.dev/window": "6s"}},
        "spec": {"containers": [{"image": image}]}}}})
}

/// `Kind/name type reason: message`, as `kubectl get events` shows it.
fn line(event: &Event) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let about = &event.involved_object;
    let (kind, name) = (text(&about.kind), text(&about.name));
    let (type_, reason, message) = (text(&event.type_), text(&event.reason), text(&event.message));
    format!("{kind}/{name} {type_} {reason}: {message}")
}

fn lines(events: &[Arc<Event>]) -> BTreeSet<String> {
    events.iter().map(|event| line(event)).collect()
}

async fn events(home: &Home) -> Vec<Arc<Event>> {
    home.client.list::<Event>(&home.here()).await.unwrap().items
}

pub(crate) async fn the_way_to_ready_is_told_once(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    let expect = [
        "Configuration/hello Normal ConfigurationReady: Configuration becomes ready",
        "Configuration/hello Normal LatestReadyUpdate: LatestReadyRevisionName updated to \"hello-00001\"",
        "Revision/hello-00001 Normal RevisionReady: Revision becomes ready upon all resources being ready",
    ];
    let expect = expect.map(str::to_owned).into();
    home.until_all("the way to ready", |events| lines(events) == expect).await;
    home.quiet().await;
    let events = events(home).await;
    assert_eq!(lines(&events), expect);
    assert!(events.iter().all(|event| event.count == Some(1)), "{events:#?}");
}

pub(crate) async fn what_was_told_is_forgotten_after_an_hour(home: &Home, time: &VirtualTime) {
    home.load(&[IMAGE]);
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    assert_ne!(events(home).await.len(), 0);
    time.pass(Duration::from_secs(3600 + 360)).await;
    assert_eq!(lines(&events(home).await), BTreeSet::new());
}

pub(crate) async fn what_fails_is_told(home: &Home) {
    home.load(&[CRASHES]);
    home.apply::<Service>(hello(CRASHES)).await;
    let expect = [
        "Configuration/hello Warning LatestCreatedFailed: Revision \"hello-00001\" failed with message: \
         Container failed with: no database.",
        "Revision/hello-00001 Warning RevisionFailed: ExitCode3: Container failed with: no database",
        "Service/hello Warning RevisionFailed: Revision \"hello-00001\" failed with message: \
         Container failed with: no database.",
    ];
    home.until_all("what failed", |events| {
        let told = lines(events);
        expect.iter().all(|line| told.contains(*line))
    })
    .await;
    home.quiet().await;
    let of_service = |event: &&Arc<Event>| {
        event.involved_object.kind.as_deref() == Some("Service")
            && event.reason.as_deref() == Some("RevisionFailed")
    };
    let counts: Vec<_> = events(home).await.iter().filter(of_service).map(|event| event.count).collect();
    assert_eq!(counts, [Some(1)], "once for a change, not for each look");
}

pub(crate) async fn what_is_told_again_is_counted(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    home.quiet().await;
    home.apply::<Service>(hello("gcr.io/p/late:v1")).await;
    home.until("hello", "failed", |configuration: &Configuration| {
        is(&configuration.status.conditions, "Ready", "False")
    })
    .await;
    home.load(&["gcr.io/p/late:v1"]);
    home.service_ready("hello").await;
    let ready = |events: &[Arc<Event>]| {
        let ready = events.iter().filter(|event| event.reason.as_deref() == Some("ConfigurationReady"));
        ready.cloned().collect::<Vec<_>>()
    };
    let events = home
        .until_all("told again", |events| ready(events).iter().map(|event| event.count).eq([Some(2)]))
        .await;
    let again = &ready(&events)[0];
    assert!(again.last_timestamp > again.first_timestamp, "{again:#?}");
}

pub(crate) async fn how_a_deployment_is_scaled_is_told(home: &Home) {
    let web = |replicas: u32| {
        let containers = json!([{"name": "web", "image": "dev.local/web"}]);
        json!({"metadata": {"name": "web"}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}}})
    };
    home.apply::<Deployment>(web(2)).await;
    let pods = home.until_all::<Pod>("two", |pods| pods.len() == 2).await;
    let set = pods[0].metadata.owner_references.as_ref().unwrap()[0].name.clone();
    let of_deployment = |what: &str| format!("Deployment/web Normal ScalingReplicaSet: Scaled {what}");
    let created =
        |pod: &Arc<Pod>| format!("ReplicaSet/{set} Normal SuccessfulCreate: Created pod: {}", pod.name());
    let mut expect: BTreeSet<String> = pods.iter().map(created).collect();
    expect.insert(of_deployment(&format!("up replica set {set} from 0 to 2")));
    home.until_all("what was made", |events| lines(events) == expect).await;
    home.quiet().await;
    home.apply::<Deployment>(web(1)).await;
    let down = of_deployment(&format!("down replica set {set} from 2 to 1"));
    home.until_all("what was taken away", |events| {
        let told = lines(events);
        let deleted = format!("ReplicaSet/{set} Normal SuccessfulDelete: Deleted pod: {set}-");
        let deleted = told.iter().filter(|line| line.starts_with(&deleted)).count();
        told.contains(&down) && deleted == 1 && told.len() == expect.len() + 2
    })
    .await;
}

pub(crate) async fn an_image_that_is_looked_for_anew_is_not_told_anew(home: &Home) {
    home.apply::<Service>(hello(IMAGE)).await;
    let failed = |revision: &Revision| is(&revision.status.conditions, "Ready", "False");
    home.until("hello-00001", "failed", failed).await;
    home.quiet().await;
    // By other settings, as after a start, it is looked for as if for the first time.
    home.configure("config-deployment", &[("digest-resolution-timeout", "7s")]).await;
    home.quiet().await;
    let revision = home.get::<Revision>("hello-00001").await;
    assert!(failed(&revision), "{:?}", revision.status.conditions);
    let events = events(home).await;
    let told: BTreeSet<_> = events
        .iter()
        .filter(|event| event.reason.as_deref() == Some("RevisionFailed"))
        .map(|event| (event.involved_object.kind.as_deref(), event.count))
        .collect();
    let once = [(Some("Revision"), Some(1)), (Some("Service"), Some(1))];
    assert_eq!(told, BTreeSet::from(once), "{events:#?}");
    home.load(&[IMAGE]);
    home.service_ready("hello").await;
}

pub(crate) async fn of_an_image_that_appears_only_that_it_is_ready_is_told(home: &Home) {
    home.apply::<Service>(hello(IMAGE)).await;
    home.until("hello", "failed", |service: &Service| is(&service.status.conditions, "Ready", "False")).await;
    home.quiet().await;
    let before = lines(&events(home).await);
    home.load(&[IMAGE]);
    home.service_ready("hello").await;
    home.quiet().await;
    let after = lines(&events(home).await);
    let troubles: Vec<_> = after.difference(&before).filter(|line| line.contains(" Warning ")).collect();
    assert!(troubles.is_empty(), "{troubles:?}");
}

pub(crate) async fn from_zero_to_an_instance_nothing_is_told(home: &Home) {
    at_zero(home).await;
    home.until_all::<Pod>("gone", <[_]>::is_empty).await;
    home.quiet().await;
    let versions = |events: Vec<Arc<Event>>| {
        events.iter().map(|event| event.metadata.resource_version.clone()).collect::<BTreeSet<_>>()
    };
    let before = versions(events(home).await);
    home.report("hello-00001", 1.0);
    home.until("hello-00001", "active", |autoscaler: &PodAutoscaler| {
        is(&autoscaler.status.conditions, "Active", "True")
    })
    .await;
    home.until("hello-00001", "active", |revision: &Revision| {
        is(&revision.status.conditions, "Active", "True")
    })
    .await;
    home.quiet().await;
    assert_eq!(versions(events(home).await), before);
}

pub(crate) async fn what_reconciling_fails_on_is_told_and_counted(home: &Home, time: &VirtualTime) {
    home.load(&[IMAGE]);
    // No single key is wrong, but no Deployment can be made of the two.
    let limits = [("queue-sidecar-cpu-request", "2"), ("queue-sidecar-cpu-limit", "1")];
    home.configure("config-deployment", &limits).await;
    home.apply::<Service>(hello(IMAGE)).await;
    time.pass(Duration::from_secs(600)).await;
    let events = events(home).await;
    let failures: Vec<_> =
        events.iter().filter(|event| event.reason.as_deref() == Some("InternalError")).collect();
    assert_eq!(failures.len(), 1, "{events:#?}");
    assert_eq!(failures[0].involved_object.name.as_deref(), Some("hello-00001"));
    assert!(failures[0].message.as_ref().unwrap().contains("hello-00001-deployment"), "{failures:#?}");
    // Every 30 s at the most often, after a quick beginning.
    assert!((20..=40).contains(&failures[0].count.unwrap()), "{failures:#?}");
}
