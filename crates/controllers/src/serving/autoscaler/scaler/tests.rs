use autoscaler::{Annotations, Config, Workload};
use resources::ObjectKey;

use super::*;

fn spec() -> DeciderSpec {
    DeciderSpec::new(&Annotations::default(), &Config::default(), Workload::default())
}

fn stat(concurrency: f64) -> RevisionStat {
    RevisionStat { revision: ObjectKey::new("default", "a"), concurrency, requests: 0.0 }
}

fn at(second: u64) -> Time {
    Time::from_secs(second)
}

#[test]
fn nothing_is_known_until_load_or_a_whole_window_without() {
    let mut scaler = Scaler::new(spec(), 1, at(100));
    assert!(!scaler.decide(at(159)).valid, "it may have been busy before");
    let decision = scaler.decide(at(160));
    assert_eq!((decision.valid, decision.desired), (true, 0));
}

#[test]
fn silence_after_load_is_no_load() {
    let mut scaler = Scaler::new(spec(), 1, at(100));
    scaler.record(at(100), &stat(1.0));
    assert_eq!(scaler.decide(at(100)).desired, 1);
    let zero = (101..200).find(|second| {
        scaler.tick(at(*second));
        scaler.decision.is_some_and(|decision| decision.desired == 0)
    });
    assert_eq!(zero, Some(160), "one stable window");
}

#[test]
fn only_load_that_nothing_was_decided_for_wakes() {
    let mut scaler = Scaler::new(spec(), 0, at(100));
    assert!(scaler.is_wake(&stat(1.0)));
    assert!(!scaler.is_wake(&stat(0.0)));
    scaler.record(at(100), &stat(1.0));
    assert!(scaler.has_news());
    scaler.decide(at(100));
    assert!(!scaler.has_news());
    assert!(!scaler.is_wake(&stat(9.0)), "the tick will see it");
}

#[test]
fn a_tick_tells_only_news() {
    let mut scaler = Scaler::new(spec(), 1, at(100));
    scaler.record(at(100), &stat(1.0));
    assert!(scaler.tick(at(100)));
    scaler.record(at(101), &stat(2.0));
    assert!(!scaler.tick(at(102)));
    scaler.record(at(103), &stat(900.0));
    assert!(scaler.tick(at(104)));
}
