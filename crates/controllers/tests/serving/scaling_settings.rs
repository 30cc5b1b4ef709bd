//! What the settings of the autoscaler do to a Deployment.

use std::{sync::Arc, time::Duration};

use objects::WriteTarget;
use resources::{
    Object,
    autoscaling::PodAutoscaler,
    builtin::{Deployment, Pod},
    networking::{ServerlessService, ServerlessServiceMode},
    serving::Service,
};
use serde_json::{Value, json};
use tokio::time::{Instant, interval_at};

use crate::{
    home::{Home, VirtualTime, is},
    node::{HELD, LET_GO},
};

const IMAGE: &str = "gcr.io/p/hello:v1";
const SECOND: Duration = Duration::from_secs(1);

fn annotated(image: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|(name, value)| (format!("autoscaling.knative.dev/{name}"), json!(value)))
        .collect();
    json!({"metadata": {"name": "hello"}, "spec": {"template": {
        "metadata": {"annotations": annotations}, "spec": {"containers": [{"image": image}]}}}})
}

/// Makes a Service with these annotations, and waits until it is ready.
async fn ready(home: &Home, annotations: &[(&str, &str)]) {
    home.load(&[IMAGE]);
    home.apply::<Service>(annotated(IMAGE, annotations)).await;
    home.service_ready("hello").await;
}

fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap()
}

async fn scale(home: &Home) -> i32 {
    replicas(&*home.get::<Deployment>("hello-00001-deployment").await)
}

async fn scaled(home: &Home, to: i32) -> Arc<Deployment> {
    let what = format!("of size {to}");
    home.until("hello-00001-deployment", &what, |deployment: &Deployment| replicas(deployment) == to).await
}

/// Reports this load at the end of each second, for reports of one second add up.
async fn under(home: &Home, concurrency: f64) {
    let mut seconds = interval_at(Instant::now() + SECOND, SECOND);
    loop {
        seconds.tick().await;
        home.report("hello-00001", concurrency);
    }
}

/// How long it takes until the Deployment has this size, under this load.
async fn took(home: &Home, concurrency: f64, to: i32) -> Duration {
    let start = Instant::now();
    tokio::select! {
        _ = scaled(home, to) => start.elapsed(),
        () = under(home, concurrency) => unreachable!("it goes on for ever"),
    }
}

/// So long under this load.
async fn hold(home: &Home, concurrency: f64, time: Duration) {
    let _ = tokio::time::timeout(time, under(home, concurrency)).await;
}

pub(crate) async fn the_initial_scale_is_made_and_waited_for(home: &Home) {
    home.load(&[HELD]);
    home.apply::<Service>(annotated(HELD, &[("initial-scale", "3")])).await;
    let pods = home.until_all::<Pod>("three", |pods| pods.len() == 3).await;
    let let_go = |pod: &mut Pod| {
        pod.metadata.annotations.get_or_insert_default().insert(LET_GO.into(), "true".into());
    };
    for pod in &pods[..2] {
        home.client.modify(WriteTarget::Object, &pod.key(), let_go).await.unwrap();
    }
    home.until("hello-00001-deployment", "of two that are ready", |deployment: &Deployment| {
        deployment.status.as_ref().and_then(|status| status.ready_replicas) == Some(2)
    })
    .await;
    home.quiet().await;
    let initialized = |autoscaler: &PodAutoscaler| {
        let conditions = &autoscaler.status.conditions;
        is(conditions, "Ready", "True") && is(conditions, "ScaleTargetInitialized", "True")
    };
    assert!(!initialized(&*home.get("hello-00001").await), "two of three are not enough");
    home.client.modify(WriteTarget::Object, &pods[2].key(), let_go).await.unwrap();
    home.until("hello-00001", "at its initial scale", initialized).await;
    home.service_ready("hello").await;
}

pub(crate) async fn burst_capacity_decides_who_leads_the_way(home: &Home) {
    let mode = async |value: &str, mode: ServerlessServiceMode| {
        home.apply::<Service>(annotated(IMAGE, &[("target-burst-capacity", value), ("min-scale", "1")]))
            .await;
        let service = home.service_ready("hello").await;
        let revision = service.status.latest_ready_revision_name.clone().unwrap();
        home.until(&revision, &format!("{mode:?} with {value}"), |sks: &ServerlessService| {
            sks.spec.mode == mode
        })
        .await;
    };
    home.load(&[IMAGE]);
    // One instance has room for 100: beyond 0 and 50, not beyond 150; -1 is always.
    mode("0", ServerlessServiceMode::Serve).await;
    mode("50", ServerlessServiceMode::Serve).await;
    mode("150", ServerlessServiceMode::Proxy).await;
    mode("-1", ServerlessServiceMode::Proxy).await;
}

pub(crate) async fn the_activation_scale_is_what_a_first_request_starts(home: &Home) {
    ready(home, &[("window", "6s"), ("activation-scale", "3")]).await;
    scaled(home, 0).await;
    home.report("hello-00001", 1.0);
    scaled(home, 3).await;
}

pub(crate) async fn the_last_instance_is_retained(home: &Home, _: &VirtualTime) {
    ready(home, &[("window", "6s"), ("scale-to-zero-pod-retention-period", "90s")]).await;
    hold(home, 1.0, 10 * SECOND).await;
    let took = took(home, 0.0, 0).await;
    assert!((90 * SECOND..110 * SECOND).contains(&took), "{took:?}");
}

pub(crate) async fn a_smaller_scale_is_delayed(home: &Home, _: &VirtualTime) {
    ready(home, &[("window", "6s"), ("target", "10"), ("scale-down-delay", "90s")]).await;
    // 20 in hand, 7 per instance.
    took(home, 20.0, 3).await;
    hold(home, 20.0, 10 * SECOND).await;
    let took = took(home, 1.0, 1).await;
    assert!((90 * SECOND..110 * SECOND).contains(&took), "{took:?}");
}

pub(crate) async fn a_surge_is_met_in_panic_and_does_not_scale_down(home: &Home, _: &VirtualTime) {
    ready(home, &[("window", "60s"), ("target", "10"), ("target-utilization-percentage", "100")]).await;
    hold(home, 5.0, 70 * SECOND).await;
    assert_eq!(scale(home).await, 1);
    // In twelve seconds the stable window has seen some 24 at once on average: three instances.
    let surge = took(home, 100.0, 10).await;
    assert!(surge <= 12 * SECOND, "{surge:?}");
    // It is over. Until a stable window has passed nothing is let go.
    hold(home, 5.0, 45 * SECOND).await;
    assert_eq!(scale(home).await, 10);
    let calm = took(home, 5.0, 1).await;
    assert!(calm <= 60 * SECOND, "{calm:?}");
}
