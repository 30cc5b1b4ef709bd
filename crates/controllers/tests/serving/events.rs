//! What users are told by events, and that it is not told for ever.

use std::{collections::BTreeSet, time::Duration};

use controllers::serving::RevisionStat;
use objects::ListOptions;
use resources::{
    ObjectKey,
    autoscaling::PodAutoscaler,
    builtin::{Event, Pod},
    serving::{Configuration, Revision, Service},
};
use serde_json::json;

use crate::{
    home::{Home, is},
    node::CRASHES,
};

const IMAGE: &str = "gcr.io/p/hello:v1";

fn hello(image: &str) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {
        "metadata": {"annotations": {"autoscaling.knative.dev/window": "6s"}},
        "spec": {"containers": [{"image": image}]}}}})
}

async fn events(home: &Home) -> Vec<std::sync::Arc<Event>> {
    home.client.list::<Event>(&ListOptions::namespace("default")).await.unwrap().items
}

/// `Kind/name type reason: message`, as `kubectl get events` shows them.
async fn told(home: &Home) -> BTreeSet<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let line = |event: &Event| {
        let about = &event.involved_object;
        let (kind, name) = (text(&about.kind), text(&about.name));
        let (type_, reason, message) = (text(&event.type_), text(&event.reason), text(&event.message));
        format!("{kind}/{name} {type_} {reason}: {message}")
    };
    events(home).await.iter().map(|event| line(event)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_way_to_ready_is_told_once_and_forgotten_after_an_hour() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let expect = [
        "Configuration/hello Normal ConfigurationReady: Configuration becomes ready",
        "Configuration/hello Normal LatestReadyUpdate: LatestReadyRevisionName updated to \"hello-00001\"",
        "Revision/hello-00001 Normal RevisionReady: Revision becomes ready upon all resources being ready",
    ];
    assert_eq!(told(&home).await, expect.map(str::to_owned).into());
    let events_now = events(&home).await;
    assert!(events_now.iter().all(|event| event.count == Some(1)), "{events_now:#?}");
    tokio::time::sleep(Duration::from_secs(3600 + 300)).await;
    assert_eq!(told(&home).await, BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_told() {
    let home = Home::new(&[CRASHES]).await;
    home.apply::<Service>(hello(CRASHES)).await;
    home.until("hello", "failed", |configuration: &Configuration| {
        is(&configuration.status.conditions, "Ready", "False")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = told(&home).await;
    let expect = [
        "Configuration/hello Warning LatestCreatedFailed: Revision \"hello-00001\" failed with message: \
         Container failed with: no database.",
        "Revision/hello-00001 Warning RevisionFailed: ExitCode3: Container failed with: no database",
    ];
    for line in expect {
        assert!(told.contains(line), "{line} is not in {told:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_again_is_counted() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    home.apply::<Service>(hello("gcr.io/p/late:v1")).await;
    home.until("hello", "failed", |configuration: &Configuration| {
        is(&configuration.status.conditions, "Ready", "False")
    })
    .await;
    home.images.add("gcr.io/p/late:v1");
    home.service_ready("hello").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let events = events(&home).await;
    let again: Vec<_> =
        events.iter().filter(|event| event.reason.as_deref() == Some("ConfigurationReady")).collect();
    assert_eq!(again.len(), 1, "{again:#?}");
    let [first, last] = [&again[0].first_timestamp, &again[0].last_timestamp].map(|at| at.clone().unwrap().0);
    assert_eq!(again[0].count, Some(2));
    assert!(last.duration_since(first).as_secs() >= 600, "{again:#?}");
}

#[tokio::test(start_paused = true)]
async fn from_zero_to_an_instance_nothing_is_told() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(IMAGE)).await;
    home.service_ready("hello").await;
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    assert!(home.client.list::<Pod>(&ListOptions::all()).await.unwrap().items.is_empty());
    let revision = ObjectKey::new("default", "hello-00001");
    let stat = RevisionStat { revision, concurrency: 1.0, requests: 1.0, time: (home.clock)() };
    home.stats.report(&[stat]);
    home.until("hello-00001", "active", |autoscaler: &PodAutoscaler| {
        is(&autoscaler.status.conditions, "Active", "True")
    })
    .await;
    home.until("hello-00001", "active", |revision: &Revision| {
        is(&revision.status.conditions, "Active", "True")
    })
    .await;
    assert_eq!(told(&home).await, BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn what_reconciling_fails_on_is_told_and_counted() {
    let home = Home::new(&[IMAGE]).await;
    // No single key is wrong, but no Deployment can be made of the two.
    let limits = [("queue-sidecar-cpu-request", "2"), ("queue-sidecar-cpu-limit", "1")];
    home.configure("config-deployment", &limits).await;
    home.apply::<Service>(hello(IMAGE)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let events = events(&home).await;
    let failures: Vec<_> =
        events.iter().filter(|event| event.reason.as_deref() == Some("InternalError")).collect();
    assert_eq!(failures.len(), 1, "{events:#?}");
    assert_eq!(failures[0].involved_object.name.as_deref(), Some("hello-00001"));
    assert!(failures[0].message.as_ref().unwrap().contains("hello-00001-deployment"), "{failures:#?}");
    // Every 30 s at the most often, after a quick beginning.
    assert!((20..=40).contains(&failures[0].count.unwrap()), "{failures:#?}");
}
