//! From one to zero and back, by load.

use std::time::Duration;

use controllers::serving::RevisionStat;
use objects::WriteTarget;
use resources::{
    ObjectKey,
    autoscaling::PodAutoscaler,
    builtin::Deployment,
    serving::{Revision, Service},
};
use serde_json::json;
use tokio::time::Instant;

use crate::home::{Home, is, says};

const IMAGE: &str = "gcr.io/p/hello:v1";

fn hello(annotations: serde_json::Value) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {
        "metadata": {"annotations": annotations}, "spec": {"containers": [{"image": IMAGE}]}}}})
}

fn load(home: &Home, concurrency: f64) {
    let revision = ObjectKey::new("default", "hello-00001");
    home.stats.report(&[RevisionStat { revision, concurrency, requests: concurrency, time: (home.clock)() }]);
}

fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap()
}

#[tokio::test(start_paused = true)]
async fn to_zero_and_back() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(json!({"autoscaling.knative.dev/window": "6s"}))).await;
    home.service_ready("hello").await;
    load(&home, 1.0);
    let start = Instant::now();
    home.until("hello-00001-deployment", "empty", |deployment: &Deployment| replicas(deployment) == 0).await;
    let took = start.elapsed();
    assert!((6..=10).contains(&took.as_secs()), "{took:?}");
    let autoscaler = home
        .until("hello-00001", "inactive", |autoscaler: &PodAutoscaler| {
            says(&autoscaler.status.conditions, "Active").1 == "NoTraffic"
                && autoscaler.status.actual_scale == Some(0)
        })
        .await;
    assert_eq!(autoscaler.status.desired_scale, Some(0));
    let revision: std::sync::Arc<Revision> = home.get("hello-00001").await;
    assert!(is(&revision.status.conditions, "Ready", "True"), "a Revision at zero is ready");

    // Long after, nothing of it is left in memory; a request wakes it without a tick.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let start = Instant::now();
    load(&home, 1.0);
    home.until("hello-00001-deployment", "wanted", |deployment: &Deployment| replicas(deployment) == 1).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "no timer stands between a request and its instance");
    home.until("hello-00001", "active", |autoscaler: &PodAutoscaler| {
        is(&autoscaler.status.conditions, "Active", "True")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn load_makes_more_and_its_end_makes_fewer() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(
        json!({"autoscaling.knative.dev/target": "10", "autoscaling.knative.dev/max-scale": "5"}),
    ))
    .await;
    home.service_ready("hello").await;
    for _ in 0..30 {
        load(&home, 20.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // 20 in hand, 7 per instance.
    home.until("hello-00001-deployment", "three", |deployment: &Deployment| replicas(deployment) == 3).await;
    for _ in 0..30 {
        load(&home, 500.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    home.until("hello-00001-deployment", "five", |deployment: &Deployment| replicas(deployment) == 5).await;
    home.until("hello-00001-deployment", "empty", |deployment: &Deployment| replicas(deployment) == 0).await;
}

#[tokio::test(start_paused = true)]
async fn min_scale_stays_without_load() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(json!({"autoscaling.knative.dev/min-scale": "2"}))).await;
    home.service_ready("hello").await;
    home.until("hello-00001-deployment", "two", |deployment: &Deployment| {
        deployment.status.as_ref().and_then(|status| status.ready_replicas) == Some(2)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00001-deployment").await), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_revision_follows_the_least_scale_that_is_configured() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(json!({}))).await;
    home.service_ready("hello").await;
    home.until("hello-00001-deployment", "empty", |deployment: &Deployment| replicas(deployment) == 0).await;
    home.configure("config-autoscaler", &[("min-scale", "1")]).await;
    home.until("hello-00001-deployment", "one", |deployment: &Deployment| replicas(deployment) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn initial_scale_zero_is_ready_without_an_instance() {
    let home = Home::new(&[IMAGE]).await;
    home.configure("config-autoscaler", &[("allow-zero-initial-scale", "true"), ("initial-scale", "0")])
        .await;
    home.apply::<Service>(hello(json!({}))).await;
    home.service_ready("hello").await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00001-deployment").await), 0);
    load(&home, 1.0);
    home.until("hello-00001-deployment", "one", |deployment: &Deployment| replicas(deployment) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_another_size_is_put_right() {
    let home = Home::new(&[IMAGE]).await;
    home.apply::<Service>(hello(json!({"autoscaling.knative.dev/min-scale": "1"}))).await;
    home.service_ready("hello").await;
    let key = ObjectKey::new("default", "hello-00001-deployment");
    let empty = |deployment: &mut Deployment| deployment.spec.as_mut().unwrap().replicas = Some(0);
    home.client.modify::<Deployment>(WriteTarget::Object, &key, empty).await.unwrap();
    home.until("hello-00001-deployment", "one", |deployment: &Deployment| replicas(deployment) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_nothing_leads_to_is_not_kept_at_its_least_scale() {
    let home = Home::new(&[IMAGE]).await;
    let min_one = |window: &str| {
        hello(json!({"autoscaling.knative.dev/minScale": "1", "autoscaling.knative.dev/window": window}))
    };
    home.apply::<Service>(min_one("6s")).await;
    home.service_ready("hello").await;
    home.apply::<Service>(min_one("7s")).await;
    home.until("hello-00001-deployment", "empty", |deployment: &Deployment| replicas(deployment) == 0).await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00002-deployment").await), 1);
}
