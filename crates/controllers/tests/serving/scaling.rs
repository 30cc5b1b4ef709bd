//! From one to zero and back, by load.

use std::{sync::Arc, time::Duration};

use objects::WriteTarget;
use resources::{
    autoscaling::PodAutoscaler,
    builtin::Deployment,
    serving::{Revision, Service},
};
use serde_json::json;
use tokio::time::{Instant, interval};

use crate::home::{Home, VirtualTime, is, says};

const IMAGE: &str = "gcr.io/p/hello:v1";
/// The shortest stable window there is.
const WINDOW: &str = "6s";

fn hello(annotations: serde_json::Value) -> serde_json::Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": {
        "metadata": {"annotations": annotations}, "spec": {"containers": [{"image": IMAGE}]}}}})
}

fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap()
}

/// Waits until the Deployment shall have so many instances.
async fn scaled(home: &Home, to: i32) -> Arc<Deployment> {
    let what = format!("of size {to}");
    home.until("hello-00001-deployment", &what, |deployment: &Deployment| replicas(deployment) == to).await
}

/// As [`scaled`], while so many requests are in hand, which the gateways report each second.
async fn scaled_under_load(home: &Home, concurrency: f64, to: i32) {
    let load = async {
        let mut seconds = interval(Duration::from_secs(1));
        loop {
            seconds.tick().await;
            home.report("hello-00001", concurrency);
        }
    };
    tokio::select! {
        _ = scaled(home, to) => {}
        () = load => {}
    }
}

/// Makes a Service that comes to zero after its first request.
pub(crate) async fn at_zero(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(hello(json!({"autoscaling.knative.dev/window": WINDOW}))).await;
    home.service_ready("hello").await;
    home.report("hello-00001", 1.0);
    home.within(Duration::from_secs(10), scaled(home, 0)).await;
}

async fn active(home: &Home) {
    home.until("hello-00001", "active", |autoscaler: &PodAutoscaler| {
        is(&autoscaler.status.conditions, "Active", "True")
    })
    .await;
}

pub(crate) async fn to_zero_and_back(home: &Home) {
    let start = Instant::now();
    at_zero(home).await;
    assert!(start.elapsed() >= Duration::from_secs(6), "{:?}", start.elapsed());
    let autoscaler = home
        .until("hello-00001", "inactive", |autoscaler: &PodAutoscaler| {
            says(&autoscaler.status.conditions, "Active").1 == "NoTraffic"
                && autoscaler.status.actual_scale == Some(0)
        })
        .await;
    assert_eq!(autoscaler.status.desired_scale, Some(0));
    let revision = home.get::<Revision>("hello-00001").await;
    assert!(is(&revision.status.conditions, "Ready", "True"), "a Revision at zero is ready");
    home.until("hello-00001", "told of zero", |revision: &Revision| {
        (revision.status.actual_replicas, revision.status.desired_replicas) == (Some(0), Some(0))
    })
    .await;
    home.report("hello-00001", 1.0);
    scaled(home, 1).await;
    active(home).await;
}

pub(crate) async fn at_zero_a_request_starts_an_instance_at_once(home: &Home, time: &VirtualTime) {
    at_zero(home).await;
    // Long after, nothing of it is left in memory; a request wakes it without a tick.
    time.pass(Duration::from_secs(3600)).await;
    let start = Instant::now();
    home.report("hello-00001", 1.0);
    scaled(home, 1).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "no timer stands between a request and its instance");
    active(home).await;
}

/// A service of five instances at most, each with 10 requests in hand.
async fn of_five_at_most(home: &Home) {
    home.load(&[IMAGE]);
    let annotations = json!({"autoscaling.knative.dev/window": WINDOW,
        "autoscaling.knative.dev/target": "10", "autoscaling.knative.dev/max-scale": "5"});
    home.apply::<Service>(hello(annotations)).await;
    home.service_ready("hello").await;
}

pub(crate) async fn load_makes_more_and_its_end_makes_fewer(home: &Home) {
    of_five_at_most(home).await;
    // 20 in hand, 7 per instance.
    scaled_under_load(home, 20.0, 3).await;
    scaled_under_load(home, 500.0, 5).await;
    scaled(home, 0).await;
}

pub(crate) async fn a_step_of_the_time_of_day_changes_no_scale(home: &Home, time: &VirtualTime) {
    of_five_at_most(home).await;
    scaled_under_load(home, 20.0, 3).await;
    home.step_clock(-3600);
    home.within(Duration::from_secs(10), scaled_under_load(home, 500.0, 5)).await;
    home.step_clock(7200);
    // The load of the last seconds still counts.
    time.pass(Duration::from_secs(3)).await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00001-deployment").await), 5);
}

pub(crate) async fn min_scale_stays_without_load(home: &Home) {
    home.load(&[IMAGE]);
    let annotations =
        json!({"autoscaling.knative.dev/window": WINDOW, "autoscaling.knative.dev/min-scale": "2"});
    home.apply::<Service>(hello(annotations)).await;
    home.service_ready("hello").await;
    home.until("hello-00001-deployment", "two", |deployment: &Deployment| {
        deployment.status.as_ref().and_then(|status| status.ready_replicas) == Some(2)
    })
    .await;
    // One that begins later and has no least scale comes to zero.
    let mut other = hello(json!({"autoscaling.knative.dev/window": WINDOW}));
    other["metadata"]["name"] = json!("other");
    home.apply::<Service>(other).await;
    home.service_ready("other").await;
    home.until("other-00001-deployment", "empty", |deployment: &Deployment| replicas(deployment) == 0).await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00001-deployment").await), 2);
}

pub(crate) async fn an_idle_revision_follows_the_least_scale_that_is_configured(home: &Home) {
    at_zero(home).await;
    home.configure("config-autoscaler", &[("min-scale", "1")]).await;
    // At its next decision, which is made every two seconds.
    home.within(Duration::from_secs(2), scaled(home, 1)).await;
}

pub(crate) async fn initial_scale_zero_is_ready_without_an_instance(home: &Home) {
    home.load(&[IMAGE]);
    home.configure("config-autoscaler", &[("allow-zero-initial-scale", "true"), ("initial-scale", "0")])
        .await;
    home.apply::<Service>(hello(json!({}))).await;
    home.service_ready("hello").await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00001-deployment").await), 0);
    home.report("hello-00001", 1.0);
    scaled(home, 1).await;
}

pub(crate) async fn a_deployment_of_another_size_is_put_right(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(hello(json!({"autoscaling.knative.dev/min-scale": "1"}))).await;
    home.service_ready("hello").await;
    let key = home.key("hello-00001-deployment");
    let empty = |deployment: &mut Deployment| deployment.spec.as_mut().unwrap().replicas = Some(0);
    home.client.modify::<Deployment>(WriteTarget::Object, &key, empty).await.unwrap();
    scaled(home, 1).await;
}

pub(crate) async fn a_revision_that_nothing_leads_to_is_not_kept_at_its_least_scale(home: &Home) {
    home.load(&[IMAGE]);
    let min_one = |window: &str| {
        hello(json!({"autoscaling.knative.dev/minScale": "1", "autoscaling.knative.dev/window": window}))
    };
    home.apply::<Service>(min_one(WINDOW)).await;
    home.service_ready("hello").await;
    home.apply::<Service>(min_one("7s")).await;
    scaled(home, 0).await;
    assert_eq!(replicas(&*home.get::<Deployment>("hello-00002-deployment").await), 1);
}
