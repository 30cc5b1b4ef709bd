//! The data plane as it runs: several threads, each with a runtime of its own, over the same instances.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use dataplane::{Limits, Protocol, RevisionConfig};
use http::StatusCode;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::rig::{App, Gate, PATIENCE, Rig, Threads, eventually, limited, text};

const THREADS: usize = 3;

/// Answers after a few turns of the scheduler, so that requests meet.
async fn slow_app() -> App {
    App::new(|_| async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        text("done")
    })
    .await
}

/// 48 callers with ten requests each.
async fn call(rig: &Rig) {
    let mut callers = JoinSet::new();
    for _ in 0..48 {
        let mut client = rig.client().await;
        callers.spawn(async move {
            for _ in 0..10 {
                let reply = client.get("/").await;
                assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "done"));
            }
        });
    }
    callers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_holds_over_all_threads() {
    let threads = Threads::start(THREADS);
    for limit in [1, 3] {
        let (one, other) = (slow_app().await, slow_app().await);
        let rig = Rig::on(&threads.runtimes, Limits { queue_factor: 100, ..Limits::default() }).await;
        rig.serve(limited(limit), &[&one, &other]);
        call(&rig).await;
        for app in [&one, &other] {
            assert!(app.seen.most_at_once.load(SeqCst) <= limit as usize);
            // A connection moves to the thread that needs it before another one is made.
            assert!(app.connections() <= limit as usize, "{} for {limit}", app.connections());
        }
        assert_eq!(one.requests() + other.requests(), 480);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_one_thread_share_an_http2_connection() {
    let threads = Threads::start(THREADS);
    let app = slow_app().await;
    let rig = Rig::on(&threads.runtimes, Limits::default()).await;
    rig.serve(RevisionConfig { protocol: Protocol::H2c, ..limited(0) }, &[&app]);
    // The first requests of a thread may all find none.
    rig.get("/").await;
    call(&rig).await;
    assert_eq!(app.requests(), 481);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_every_thread() {
    let threads = Threads::start(THREADS);
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::on(&threads.runtimes, Limits::default()).await;
    rig.serve(limited(0), &[&app]);
    let mut answers = JoinSet::new();
    for _ in 0..2 * THREADS {
        let mut client = rig.client().await;
        answers.spawn(async move { client.get("/").await });
    }
    eventually("all are in flight", || app.at_once() == 2 * THREADS).await;
    rig.drain.cancel();
    eventually("nobody is let in", || std::net::TcpStream::connect(rig.address).is_err()).await;
    assert!(!rig.gateway.is_finished());
    gate.admit(2 * THREADS);
    for reply in answers.join_all().await {
        assert_eq!(reply.status, StatusCode::OK);
    }
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_cuts_every_thread_at_its_deadline() {
    let threads = Threads::start(THREADS);
    let app = App::gated(&Gate::closed()).await;
    let limits = Limits { drain_max: Duration::from_millis(50), ..Limits::default() };
    let rig = Rig::on(&threads.runtimes, limits).await;
    rig.serve(limited(0), &[&app]);
    let mut cut = JoinSet::new();
    for _ in 0..2 * THREADS {
        let mut client = rig.client().await;
        cut.spawn(async move { client.send(crate::rig::get("/")).await.is_err() });
    }
    eventually("all are in flight", || app.at_once() == 2 * THREADS).await;
    rig.drain.cancel();
    timeout(PATIENCE, rig.gateway).await.unwrap().unwrap();
    assert_eq!(cut.join_all().await, [true; 2 * THREADS]);
}
