//! Requests of a revision whose instances cannot start.

use std::sync::Arc;

use http::StatusCode;

use crate::rig::{App, Reply, Rig, eventually, limited, revision};

const WHY: &str = "ErrImagePull: it is not here";

impl Rig {
    fn cannot_start(&self, why: Option<&str>) {
        assert!(self.handle.set_obstacle(&revision("hello-00001"), why.map(Arc::from)));
    }
}

fn assert_says_why(reply: &Reply) {
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert!(reply.body.starts_with(&format!("revision hello-00001 cannot start: {WHY}\n")), "{reply:?}");
}

#[tokio::test]
async fn who_waits_and_who_comes_is_told_why_until_there_is_an_instance() {
    let rig = Rig::serving(limited(0), &[]).await;
    let mut client = rig.client().await;
    let waiting = tokio::spawn(async move { client.get("/").await });
    eventually("the autoscaler was told", || !rig.stats.all().is_empty()).await;
    rig.cannot_start(Some(WHY));
    assert_says_why(&waiting.await.unwrap());
    assert_says_why(&rig.get("/").await);
    let app = App::saying("awake").await;
    rig.instances(&[&app]);
    assert_eq!(rig.get("/").await.body, "awake", "it is there, whatever was told");
    rig.instances(&[]);
    assert_says_why(&rig.get("/").await);

    // It may start again: it is waited for as ever.
    rig.cannot_start(None);
    let mut client = rig.client().await;
    let waiting = tokio::spawn(async move { client.get("/").await });
    rig.client().await.read(crate::rig::probe()).await;
    rig.instances(&[&app]);
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn it_is_tried_again_by_those_who_are_refused() {
    let rig = Rig::serving(limited(0), &[]).await;
    rig.cannot_start(Some(WHY));
    let pokes = || rig.stats.all().iter().filter(|stat| **stat == (1.0, 1.0)).count();
    let mut client = rig.client().await;
    assert_says_why(&client.get("/").await);
    assert_eq!(pokes(), 1);
    // Each second one is told of, and not each of them.
    let mut asked = 0;
    while pokes() < 2 {
        assert_says_why(&client.get("/").await);
        asked += 1;
    }
    assert!(asked > 2, "{asked}");
}

#[tokio::test]
async fn who_waits_for_room_on_an_instance_goes_on_waiting() {
    let gate = crate::rig::Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let mut client = rig.client().await;
        requests.spawn(async move { client.get("/").await.status });
    }
    eventually("one request is in flight", || app.at_once() == 1).await;
    rig.client().await.read(crate::rig::probe()).await;
    rig.cannot_start(Some(WHY));
    gate.admit(2);
    assert_eq!(requests.join_all().await, [StatusCode::OK; 2]);
}
