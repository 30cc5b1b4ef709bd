//! Requests of a revision that is deleted.

use http::StatusCode;

use crate::rig::{App, Gate, Rig, eventually, limited, probe, revision};

#[tokio::test]
async fn who_waits_for_a_revision_that_is_deleted_is_told_at_once() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut first = rig.client().await;
    let first = tokio::spawn(async move { first.get("/").await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    let mut second = rig.client().await;
    let second = tokio::spawn(async move { second.get("/").await });
    // The other one is in the queue as soon as the gateway has answered a later one.
    rig.client().await.read(probe()).await;
    rig.handle.remove_revision(&revision("hello-00001"));
    let reply = second.await.unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert!(reply.body.contains("hello-00001"), "{reply:?}");
    // What is with the application finishes.
    gate.admit(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn so_is_one_that_waits_for_a_first_instance() {
    let rig = Rig::serving(limited(0), &[]).await;
    let mut client = rig.client().await;
    let waiting = tokio::spawn(async move { client.get("/").await });
    eventually("the autoscaler was told", || !rig.stats.all().is_empty()).await;
    rig.handle.remove_revision(&revision("hello-00001"));
    assert_eq!(waiting.await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
}
