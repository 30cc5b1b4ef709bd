#![allow(dead_code)]
#[path = "serving/home.rs"]
mod home;
#[path = "serving/node.rs"]
mod node;
#[path = "serving/seams.rs"]
mod seams;
use resources::{*, serving::*, builtin::Deployment};
use serde_json::json;
use std::time::Duration;
#[tokio::test]
async fn scratch() {
    let home = home::Home::new(&["gcr.io/p/hello:v1"]).await;
    home.configure("config-autoscaler", &[("allow-zero-initial-scale", "true")]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = std::time::Instant::now();
    let v0: u64 = home.client.list::<Service>(&objects::ListOptions::all()).await.unwrap().version.parse().unwrap();
    let n: usize = std::env::var("N").map_or(50, |n| n.parse().unwrap());
    for i in 0..n {
        home.apply::<Service>(json!({"metadata": {"name": format!("s{i}")}, "spec": {"template": {"metadata": {"annotations": {"autoscaling.knative.dev/initial-scale": "0"}},"spec": {"containers": [{"image": "gcr.io/p/hello:v1"}]}}}})).await;
    }
    for i in 0..n { home.service_ready(&format!("s{i}")).await; }
    println!("{n} services ready in {:?}", start.elapsed());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let v1: u64 = home.client.list::<Service>(&objects::ListOptions::all()).await.unwrap().version.parse().unwrap();
    println!("writes per service {}", (v1 - v0) as f64 / n as f64);
    let mut all = vec![];
    for _ in 0..20 {
    for i in 0..3.min(n) {
        let name = format!("s{i}-00001");
        let mut watch = home.client.watch::<Deployment>(objects::ListOptions{name: Some(format!("{name}-deployment")), ..objects::ListOptions::namespace("default")});
        loop { if let objects::Event::Synced = watch.next().await { break } }
        let w0: u64 = home.client.list::<Service>(&objects::ListOptions::all()).await.unwrap().version.parse().unwrap();
        let t = std::time::Instant::now();
        home.stats.report(&[controllers::serving::RevisionStat{revision: ObjectKey::new("default", name.clone()), concurrency: 1.0, requests: 1.0, time: (home.clock)()}]);
        loop { if let objects::Event::Applied(d) = watch.next().await { if d.spec.as_ref().unwrap().replicas == Some(1) { all.push((t.elapsed(), d.metadata.resource_version.clone().unwrap().parse::<u64>().unwrap() - w0)); break } } }
        loop { if let objects::Event::Applied(d) = watch.next().await { if d.status.as_ref().and_then(|s| s.ready_replicas) == Some(1) { println!("ready {:?}", t.elapsed()); break } } }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let w1: u64 = home.client.list::<Service>(&objects::ListOptions::all()).await.unwrap().version.parse().unwrap();
        println!("writes of a wake {}", w1 - w0);
    }
    break;
    }
    println!("wake: {all:?}");
}
