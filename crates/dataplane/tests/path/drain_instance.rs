//! One instance is told to drain before it is stopped, by whoever stops it; endpoints follow at their own pace.

use std::pin::pin;

use futures::poll;
use http::StatusCode;
use tokio::time::timeout;

use crate::rig::{App, Client, Gate, PATIENCE, Reply, Rig, eventually, limited, revision};

/// Sends a request to `app`, which holds it back; what is left is to read the answer.
async fn in_flight(rig: &Rig, app: &App) -> tokio::task::JoinHandle<Reply> {
    let before = app.at_once();
    let mut client: Client = rig.client().await;
    let answer = tokio::spawn(async move { client.get("/").await });
    eventually("one more request is in flight", || app.at_once() == before + 1).await;
    answer
}

async fn drained(rig: &Rig, app: &App) {
    let (key, uid) = (revision("hello-00001"), app.instance().uid);
    timeout(PATIENCE, rig.handle.drain_instance(&key, &uid)).await.expect("drained");
}

#[tokio::test]
async fn it_waits_for_what_is_in_flight() {
    let gate = Gate::closed();
    let (old, new) = (App::gated(&gate).await, App::saying("new").await);
    let rig = Rig::serving(limited(0), &[&old]).await;
    let answer = in_flight(&rig, &old).await;
    rig.instances(&[&old, &new]);
    let (key, uid) = (revision("hello-00001"), old.instance().uid);
    let mut drain = pin!(rig.handle.drain_instance(&key, &uid));
    assert!(poll!(&mut drain).is_pending());
    for _ in 0..10 {
        assert_eq!(rig.get("/").await.body, "new");
    }
    assert!(poll!(&mut drain).is_pending());
    gate.admit(1);
    assert_eq!(answer.await.unwrap().body, "passed");
    timeout(PATIENCE, drain).await.expect("drained");
    // Nothing is left to wait for.
    drained(&rig, &old).await;
    assert_eq!(old.requests(), 1);
}

/// What endpoints may say around a drain, in an order in which they may say it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Endpoints that name both.
    Both,
    /// Endpoints that name the other one.
    Other,
    /// A watch that begins anew.
    Nothing,
    /// The revision is told anew.
    Anew,
    Drain,
}

#[tokio::test]
async fn stale_endpoints_do_not_bring_it_back() {
    use Step::*;
    let cases: &[&[Step]] = &[
        &[Both, Drain],
        &[Both, Drain, Both],
        &[Both, Drain, Other, Both],
        &[Both, Drain, Nothing, Both],
        &[Both, Other, Drain, Both],
        &[Both, Nothing, Drain, Both],
        &[Drain, Both],
        &[Both, Drain, Nothing, Anew, Both],
        &[Both, Anew, Drain, Both],
    ];
    for steps in cases {
        let (old, new) = (App::saying("old").await, App::saying("new").await);
        let rig = Rig::serving(limited(1), &[]).await;
        for step in *steps {
            match step {
                Both => rig.instances(&[&old, &new]),
                Other => rig.instances(&[&new]),
                Nothing => rig.instances(&[]),
                Anew => {
                    rig.handle.remove_revision(&revision("hello-00001"));
                    rig.handle.set_revision(revision("hello-00001"), limited(1));
                }
                Drain => drained(&rig, &old).await,
            }
        }
        for _ in 0..5 {
            assert_eq!(rig.get("/").await.body, "new", "{steps:?}");
        }
    }
}

#[tokio::test]
async fn it_waits_although_the_endpoints_or_the_revision_are_gone() {
    for forgotten in [false, true] {
        let gate = Gate::closed();
        let app = App::gated(&gate).await;
        let rig = Rig::serving(limited(0), &[&app]).await;
        let answer = in_flight(&rig, &app).await;
        let key = revision("hello-00001");
        if forgotten {
            rig.handle.remove_revision(&key);
        } else {
            rig.instances(&[]);
        }
        let uid = app.instance().uid;
        let mut drain = pin!(rig.handle.drain_instance(&key, &uid));
        assert!(poll!(&mut drain).is_pending());
        gate.admit(1);
        assert_eq!(answer.await.unwrap().status, StatusCode::OK);
        timeout(PATIENCE, drain).await.expect("drained");
    }
}

#[tokio::test]
async fn whoever_waited_for_it_wakes_the_autoscaler() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let first = in_flight(&rig, &app).await;
    let mut client = rig.client().await;
    let second = tokio::spawn(async move { client.get("/").await });
    // The other one is in the queue as soon as the gateway has answered a later one.
    rig.client().await.read(crate::rig::probe()).await;
    assert!(!rig.stats.all().contains(&(1.0, 1.0)));
    let (key, uid) = (revision("hello-00001"), app.instance().uid);
    let mut drain = pin!(rig.handle.drain_instance(&key, &uid));
    assert!(poll!(&mut drain).is_pending());
    assert!(rig.stats.all().contains(&(1.0, 1.0)), "{:?}", rig.stats.all());
    gate.admit(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    timeout(PATIENCE, drain).await.expect("drained");
    let next = App::saying("next").await;
    rig.instances(&[&app, &next]);
    assert_eq!(second.await.unwrap().body, "next");
}

#[tokio::test]
async fn whoever_comes_while_the_last_one_drains_wakes_the_autoscaler() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let first = in_flight(&rig, &app).await;
    let (key, uid) = (revision("hello-00001"), app.instance().uid);
    let mut drain = pin!(rig.handle.drain_instance(&key, &uid));
    assert!(poll!(&mut drain).is_pending());
    let mut client = rig.client().await;
    let second = tokio::spawn(async move { client.get("/").await });
    eventually("the autoscaler was told", || rig.stats.all().contains(&(1.0, 1.0))).await;
    let next = App::saying("next").await;
    rig.instances(&[&next]);
    assert_eq!(second.await.unwrap().body, "next");
    gate.admit(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    timeout(PATIENCE, drain).await.expect("drained");
}
