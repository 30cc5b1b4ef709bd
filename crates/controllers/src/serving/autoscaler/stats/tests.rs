use std::time::Duration;

use autoscaler::{Annotations, Config, Workload};
use objects::Backoff;
use tokio::time::{Instant, advance, timeout};

use super::*;

fn key() -> ObjectKey {
    ObjectKey::new("default", "a")
}

fn stat() -> RevisionStat {
    RevisionStat { revision: key(), concurrency: 1.0, requests: 1.0 }
}

fn spec() -> DeciderSpec {
    DeciderSpec::new(&Annotations::default(), &Config::default(), Workload::default())
}

#[test]
fn a_request_at_zero_gives_its_key_at_once_and_only_once() {
    let stats = StatsHandle::new();
    stats.report(&[stat()]);
    let queue = Arc::new(Queue::new(Backoff::default()));
    stats.attach(Arc::clone(&queue));
    assert_eq!(queue.try_next(), Some(key()), "a report that came before the controller counts");
    queue.done(&key());
    let decision = stats.decide(&key(), &spec(), 0, false).unwrap();
    assert_eq!(decision.desired, 1);
    stats.report(&[stat()]);
    assert_eq!(queue.try_next(), None, "an instance is on its way");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_of_what_is_idle() {
    let stats = StatsHandle::new();
    assert_eq!(stats.decide(&key(), &spec(), 0, false), None);
    stats.report(&[stat()]);
    stats.decide(&key(), &spec(), 0, false);
    stats.retire(&key());
    assert_eq!(stats.shared.scalers.lock().len(), 1, "it is wanted");
    advance(Duration::from_secs(300)).await;
    stats.decide(&key(), &spec(), 1, false);
    stats.report(&[stat()]);
    stats.retire(&key());
    assert_eq!(stats.shared.scalers.lock().len(), 1, "load came since the decision");
    advance(Duration::from_secs(400)).await;
    stats.decide(&key(), &spec(), 1, false);
    stats.retire(&key());
    assert_eq!(stats.shared.scalers.lock().len(), 0);
}

#[test]
fn early_reports_are_bounded() {
    let stats = StatsHandle::new();
    for _ in 0..1000 {
        stats.report(&[stat()]);
    }
    let scalers = stats.shared.scalers.lock();
    assert!(matches!(&scalers[&key()], Entry::Early(early) if early.len() == EARLY_STATS_MAX));
}

#[tokio::test(start_paused = true)]
async fn ticks_come_every_two_seconds_while_something_is_active() {
    let stats = StatsHandle::new();
    let queue = Arc::new(Queue::new(Backoff::default()));
    stats.attach(Arc::clone(&queue));
    let start = Instant::now();
    let ticks = stats.clone();
    let run = tokio::spawn(async move { ticks.tick().await });
    assert!(timeout(Duration::from_secs(3600), queue.next()).await.is_err(), "nothing is active");
    let begun = start.elapsed();
    stats.report(&[stat()]);
    queue.done(&queue.next().await);
    stats.decide(&key(), &spec(), 1, false);
    queue.next().await;
    let idle = start.elapsed() - begun;
    assert!((60..=64).contains(&idle.as_secs()), "the load has left the stable window: {idle:?}");
    run.abort();
}
