use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use dataplane::{Limits, RevisionConfig};
use http::StatusCode;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::rig::{App, Gate, PATIENCE, Reply, Rig, Still, eventually, get, limited, nobody, text};

/// `count` requests, each over a connection of its own.
async fn at_once(rig: &Rig, count: usize) -> JoinSet<Reply> {
    let mut replies = JoinSet::new();
    for _ in 0..count {
        let mut client = rig.client().await;
        replies.spawn(async move { client.get("/").await });
    }
    replies
}

/// Sends a request and returns when the gateway has it; what is left is to read the answer.
async fn enter(rig: &Rig, path: &'static str) -> impl Future<Output = Reply> + Send + 'static {
    let answer = rig.enter(path).await;
    async { answer.await.expect("an answer") }
}

fn statuses(replies: &[Reply], status: StatusCode) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_never_sees_two() {
    let app = App::new(|_| async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        text("done")
    })
    .await;
    let rig = Rig::with(Limits { queue_factor: 50, ..Limits::default() }).await;
    rig.serve(limited(1), &[&app]);
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let mut client = rig.client().await;
        callers.spawn(async move {
            for _ in 0..10 {
                assert_eq!(client.get("/").await.status, StatusCode::OK);
            }
        });
    }
    callers.join_all().await;
    assert_eq!(app.seen.most_at_once.load(SeqCst), 1);
    assert_eq!(app.requests(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    // Who is refused has waited for nothing that takes time, since none passes.
    let _still = Still::new();
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    // One is with the application, ten wait; the twelfth finds no place.
    let mut waiting = JoinSet::new();
    for _ in 0..11 {
        waiting.spawn(enter(&rig, "/").await);
    }
    let mut late = rig.client().await;
    for _ in 0..99 {
        let refused = late.get("/").await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(refused.body.starts_with("pending request queue full\n10 requests wait"), "{refused:?}");
    }

    gate.admit(11);
    let mut replies = Vec::new();
    while let Some(reply) = waiting.join_next().await {
        replies.push(reply.unwrap());
    }
    assert_eq!(statuses(&replies, StatusCode::OK), 11);
}

#[tokio::test]
async fn a_queue_without_a_limit_per_instance_is_bounded_too() {
    let rig = Rig::with(Limits { queue_max: 3, ..Limits::default() }).await;
    rig.serve(limited(0), &[]);
    let mut waiting = JoinSet::new();
    for _ in 0..3 {
        waiting.spawn(enter(&rig, "/").await);
    }
    let refused = rig.get("/").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    let app = App::saying("at last").await;
    rig.instances(&[&app]);
    assert_eq!(statuses(&waiting.join_all().await, StatusCode::OK), 3);
}

/// Without containerConcurrency ten thousand wait, as upstream: real requests, over HTTP/2.
#[tokio::test]
async fn ten_thousand_wait_where_there_is_no_limit_per_instance() {
    const STREAMS: usize = 250;
    let rig = Rig::with(Limits { client_idle_max: Duration::ZERO, ..Limits::default() }).await;
    rig.serve(RevisionConfig { timeout: Duration::ZERO, ..limited(0) }, &[]);
    let mut waiting = JoinSet::new();
    for _ in 0..10_000 / STREAMS {
        let stream = tokio::net::TcpStream::connect(rig.address).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        waiting.spawn(async move { connection.await.map(drop).is_ok() });
        for _ in 0..STREAMS {
            let mut requests = requests.clone().ready().await.unwrap();
            let request = http::Request::get(format!("http://{}/", crate::rig::HOST)).body(()).unwrap();
            let (answer, _) = requests.send_request(request, true).unwrap();
            waiting.spawn(async move { answer.await.is_ok_and(|answer| answer.status() == StatusCode::OK) });
        }
    }
    let all = || rig.stats.all().last().is_some_and(|(concurrency, _)| (concurrency - 10_000.0).abs() < 0.5);
    let told = async {
        while !all() {
            tokio::task::yield_now().await
        }
    };
    timeout(PATIENCE * 6, told).await.expect("all of them are here");
    let refused = rig.get("/").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.body.contains("10000 requests wait"), "{refused:?}");
}

#[tokio::test]
async fn slots_add_up_over_instances() {
    let gate = Gate::closed();
    let (one, other) = (App::gated(&gate).await, App::gated(&gate).await);
    let rig = Rig::serving(limited(2), &[&one, &other]).await;
    let replies = at_once(&rig, 6).await;
    eventually("both are full", || (one.at_once(), other.at_once()) == (2, 2)).await;
    gate.admit(6);
    let replies = replies.join_all().await;
    assert_eq!(statuses(&replies, StatusCode::OK), 6);
    assert!(one.seen.most_at_once.load(SeqCst) == 2 && other.seen.most_at_once.load(SeqCst) == 2);
}

#[tokio::test]
async fn without_a_limit_the_load_is_spread() {
    let gate = Gate::closed();
    let apps = [App::gated(&gate).await, App::gated(&gate).await, App::gated(&gate).await];
    let rig = Rig::serving(limited(0), &apps.each_ref()).await;
    let replies = at_once(&rig, 60).await;
    eventually("all are in flight", || apps.iter().map(App::at_once).sum::<usize>() == 60).await;
    for app in &apps {
        assert!((16..=24).contains(&app.at_once()), "{}", app.at_once());
    }
    gate.admit(60);
    replies.join_all().await;
}

#[tokio::test]
async fn who_leaves_the_queue_frees_a_place() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let first = at_once(&rig, 1).await;
    eventually("one request is in flight", || app.at_once() == 1).await;
    // These leave while they wait: eleven and more could not have waited at the same time.
    for _ in 0..30 {
        let mut client = rig.client().await;
        let waiting = tokio::spawn(async move { client.send(get("/")).await.map(drop) });
        // It is in the queue as soon as the gateway has answered a later one.
        rig.client().await.read(crate::rig::probe()).await;
        assert!(!waiting.is_finished(), "nothing to wait for");
        waiting.abort();
        assert!(waiting.await.is_err());
        // As soon, that it has left is seen.
        rig.client().await.read(crate::rig::probe()).await;
    }
    let mut last = rig.client().await;
    gate.admit(2);
    let patient = async {
        loop {
            let reply = last.get("/").await;
            if reply.status == StatusCode::OK {
                return;
            }
        }
    };
    timeout(PATIENCE, patient).await.unwrap();
    assert_eq!(first.join_all().await[0].status, StatusCode::OK);
    assert_eq!(app.requests(), 2);
}

#[tokio::test]
async fn who_leaves_in_flight_frees_a_slot() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut client = rig.client().await;
    let sent = tokio::spawn(async move { client.get("/").await });
    eventually("one request is in flight", || app.at_once() == 1).await;
    sent.abort();
    eventually("it is gone", || app.at_once() == 0).await;
    gate.admit(1);
    assert_eq!(rig.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_longest_waiter_is_next() {
    let (gate, order) = (Gate::closed(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let app = {
        let (gate, order) = (gate.clone(), order.clone());
        App::new(move |request| {
            let (gate, order) = (gate.clone(), order.clone());
            async move {
                order.lock().unwrap().push(request.uri().path().to_owned());
                gate.pass().await;
                text("")
            }
        })
        .await
    };
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut replies = JoinSet::new();
    for path in ["/0", "/1", "/2", "/3", "/4"] {
        replies.spawn(enter(&rig, path).await);
    }
    gate.admit(5);
    replies.join_all().await;
    assert_eq!(*order.lock().unwrap(), ["/0", "/1", "/2", "/3", "/4"]);
}

#[tokio::test]
async fn a_refused_instance_is_passed_over() {
    let app = App::saying("alive").await;
    let rig = Rig::serving(limited(1), &[]).await;
    let revision = crate::rig::revision("hello-00001");
    rig.handle.set_instances(&revision, vec![nobody().await, app.instance()]);
    let mut client = rig.client().await;
    for _ in 0..20 {
        assert_eq!(client.get("/").await.body, "alive");
    }
    assert!(rig.dialer.refused.load(SeqCst) > 0);
}

#[tokio::test]
async fn a_kept_connection_that_closed_is_not_used() {
    let app = App::new(|_| async {
        let mut response = text("bye");
        response.headers_mut().insert("connection", "close".parse().unwrap());
        response
    })
    .await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let mut client = rig.client().await;
    for _ in 0..20 {
        assert_eq!(client.get("/").await.status, StatusCode::OK);
    }
    assert_eq!(app.connections(), 20);
}

#[tokio::test]
async fn connections_are_kept() {
    let app = App::saying("hello").await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let mut client = rig.client().await;
    for path in ["/a", "/b", "/c"].repeat(10) {
        assert_eq!(client.get(path).await.status, StatusCode::OK);
    }
    assert_eq!((app.requests(), app.connections()), (30, 1));
}
