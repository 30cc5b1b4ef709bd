use http::StatusCode;

use crate::rig::{App, Rig, eventually, get, limited, revision};

#[tokio::test]
async fn a_request_waits_for_an_instance_and_says_how_long() {
    let rig = Rig::serving(limited(0), &[]).await;
    let mut client = rig.client().await;
    let waiting = tokio::spawn(async move { (client.get("/").await, client.get("/").await) });
    eventually("the autoscaler was told", || rig.stats.all() == [(1.0, 1.0)]).await;

    let app = App::saying("awake").await;
    rig.instances(&[&app]);
    let (cold, warm) = waiting.await.unwrap();
    assert_eq!((cold.status, &*cold.body), (StatusCode::OK, "awake"));
    let timing = cold.header("server-timing").unwrap();
    for part in ["queue;dur=", "schedule;dur=1.000", "sandbox;dur=2.000", "start;dur=3.000", "connect;dur="] {
        assert!(timing.contains(part), "{timing}");
    }
    assert_eq!(warm.header("server-timing"), None);

    let starts = rig.handle.cold_starts(&revision("hello-00001"));
    assert_eq!(starts.len(), 1);
    assert_eq!(starts[0].uid, app.instance().uid);
    // Also when the revision is idle again, and until it is gone.
    rig.instances(&[]);
    eventually("the last report", || rig.stats.all().last().is_some_and(|stat| stat.0 == 0.0)).await;
    rig.client().await.read(crate::rig::probe()).await;
    assert_eq!(rig.handle.cold_starts(&revision("hello-00001")), starts);
    rig.handle.remove_revision(&revision("hello-00001"));
    assert_eq!(rig.handle.cold_starts(&revision("hello-00001")), []);
}

#[tokio::test]
async fn many_wait_and_one_poke_is_enough() {
    let rig = Rig::serving(limited(0), &[]).await;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut client = rig.client().await;
        waiting.spawn(async move { client.get("/").await.status });
    }
    eventually("the autoscaler was told", || !rig.stats.all().is_empty()).await;
    let app = App::saying("awake").await;
    rig.instances(&[&app]);
    assert_eq!(waiting.join_all().await, [StatusCode::OK; 20]);
    assert_eq!(rig.stats.all().iter().filter(|stat| **stat == (1.0, 1.0)).count(), 1);
}

#[tokio::test]
async fn the_end_of_the_last_instance_pokes_for_those_who_wait() {
    let gate = crate::rig::Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let mut client = rig.client().await;
        requests.spawn(async move { client.get("/").await.status });
    }
    eventually("one request is in flight", || app.at_once() == 1).await;
    // The other one is in the queue as soon as the gateway has answered a later one.
    rig.client().await.read(crate::rig::probe()).await;
    rig.instances(&[]);
    eventually("the autoscaler was told", || rig.stats.all().contains(&(1.0, 1.0))).await;
    let next = App::saying("next").await;
    rig.instances(&[&next]);
    gate.admit(1);
    assert_eq!(requests.join_all().await, [StatusCode::OK; 2]);
    assert_eq!((app.requests(), next.requests()), (1, 1));
}

#[tokio::test]
async fn load_is_reported_each_second_and_ends_with_a_zero() {
    let gate = crate::rig::Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut client = rig.client().await;
    let answer = tokio::spawn(async move { client.get("/").await });
    eventually("a report", || !rig.stats.all().is_empty()).await;
    let (concurrency, count) = rig.stats.all()[0];
    assert!((0.9..=1.0).contains(&concurrency) && count == 1.0, "{concurrency} {count}");
    gate.admit(1);
    answer.await.unwrap();
    eventually("the last report", || rig.stats.all().last() == Some(&(0.0, 0.0))).await;
    // It has an instance, so its next request needs no start and is not reported ahead of time.
    let before = rig.stats.all().len();
    let mut client = rig.client().await;
    let answer = tokio::spawn(async move { client.read(get("/")).await.status });
    eventually("another request is in flight", || app.at_once() == 1).await;
    assert_eq!(rig.stats.all().len(), before);
    gate.admit(1);
    assert_eq!(answer.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn who_finds_no_instance_is_handed_on() {
    let gate = crate::rig::Gate::closed();
    let next = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[]).await;
    rig.handle.set_revision(revision("late-00001"), limited(1));
    rig.route("late.default.localhost", &[("late-00001", 100)]);
    let waiting = [rig.enter("/").await, rig.enter("/").await];
    rig.handle.hand_on(next.instance());
    eventually("those who waited are handed on, whatever the limit", || next.at_once() == 2).await;
    gate.admit(3);
    for answer in waiting {
        assert_eq!(answer.await.unwrap().body, "passed");
    }
    let mut request = get("/");
    request.headers_mut().insert(http::header::HOST, "late.default.localhost".parse().unwrap());
    assert_eq!(rig.client().await.read(request).await.body, "passed", "who comes to another one, too");
}

/// The next one may not be there yet, and this one is not to wait for it then.
#[tokio::test]
async fn who_finds_an_instance_free_is_not_handed_on() {
    let (own, next) = (App::saying("own").await, App::saying("next").await);
    for limit in [0, 1] {
        let rig = Rig::serving(limited(limit), &[&own]).await;
        rig.handle.hand_on(next.instance());
        assert_eq!(rig.get("/").await.body, "own", "{limit}");
    }
    assert_eq!(next.requests(), 0);
}

#[tokio::test]
async fn who_waits_behind_a_busy_instance_is_handed_on() {
    let gate = crate::rig::Gate::closed();
    let (busy, next) = (App::gated(&gate).await, App::saying("next").await);
    let rig = Rig::serving(limited(1), &[&busy]).await;
    let in_hand = rig.enter("/").await;
    eventually("the instance has one in hand", || busy.at_once() == 1).await;
    let waiting = rig.enter("/").await;
    rig.handle.hand_on(next.instance());
    assert_eq!(waiting.await.unwrap().body, "next");
    assert_eq!(rig.get("/").await.body, "next", "and who comes");
    gate.admit(1);
    assert_eq!(in_hand.await.unwrap().body, "passed", "it is answered by its instance");
    assert_eq!((busy.requests(), next.requests()), (1, 2));
}
