use std::time::Duration;

use resources::reserved::QUEUE_PROXY_IMAGE;
use serde_json::json;

use super::*;
use crate::probe::{Kind, Schedule, Target, Verdict};

fn record(image: &str, state: State) -> Record {
    let spec = serde_json::from_value(json!({ "name": image, "image": image })).unwrap();
    Record { state, ..Record::new(spec, false) }
}

fn waiting() -> State {
    State::waiting("ContainerCreating", "")
}

fn running(since: Instant, probes: Vec<Probe>) -> State {
    State::Running(Running {
        id: None,
        started_at: Timestamp::UNIX_EPOCH,
        since,
        started: true,
        ready: true,
        probes,
        killed_for: None,
        failing: None,
    })
}

/// An eager probe that has passed, and so is asked with its slow period.
fn passed() -> Probe {
    let schedule = Schedule::of(&resources::builtin::Probe::default(), true);
    let mut probe = Probe::new(Kind::Readiness, Target::Tcp { port: 8080 }, schedule);
    assert_eq!(probe.note(true), Verdict::Passing);
    probe
}

#[tokio::test]
async fn built_in_readiness_starts_over_with_the_apps() {
    let (before, now) = (Instant::now(), Instant::now() + Duration::from_secs(60));
    type Case = (&'static str, fn(Instant) -> Vec<State>, &'static [usize]);
    let cases: &[Case] = &[
        ("an app ended", |_| vec![waiting()], &[]),
        ("the app started", |at| vec![running(at, vec![])], &[1]),
        ("one of two started", |at| vec![running(at, vec![]), waiting()], &[]),
        ("both started", |at| vec![running(at, vec![]), running(at, vec![])], &[2]),
        ("there is no app", |_| vec![], &[0]),
    ];
    for (name, apps, asked) in cases {
        let mut records: Vec<_> = apps(before).into_iter().map(|state| record("app", state)).collect();
        records.push(record(QUEUE_PROXY_IMAGE, running(before, vec![passed()])));
        assert_eq!(renew_built_in(&mut records, now), *asked, "{name}");
        let proxy = records.pop().unwrap();
        assert_eq!(proxy.round, 1, "{name}: outcomes that are under way do not count");
        let running = proxy.running().unwrap();
        assert_eq!((running.ready, running.since), (false, now), "{name}");
        let wait = running.probes[0].wait(Some(Duration::ZERO));
        assert!(wait < Duration::from_millis(1), "{name}: eager again, and not after {wait:?}");
        let untouched = |record: &Record| record.running().is_none_or(|running| running.ready);
        assert!(records.iter().all(untouched), "{name}: an app's own readiness is its own");
    }
}

#[test]
fn a_run_is_counted_when_it_begins_and_not_while_it_is_waited_for() {
    let mut record = record("app", waiting());
    let runs = |record: &Record| (record.restarts, record.next_run());
    assert_eq!(runs(&record), (0, 0), "a start that fails before there is a run is tried as the same");
    record.begun();
    assert_eq!(runs(&record), (0, 0));
    record.is_spent = true;
    assert_eq!(runs(&record), (0, 1));
    record.begun();
    assert_eq!(runs(&record), (1, 1));
}

#[test]
fn a_start_that_begins_is_news_after_one_that_failed() {
    let mut record = record("app", waiting());
    assert!(!record.begin(), "it is as it was told");
    record.state = State::waiting("ImagePullBackOff", "why");
    assert!(record.begin());
    let State::Waiting { reason, is_starting, .. } = record.state else { panic!("{record:?}") };
    assert_eq!((reason, is_starting), ("ImagePullBackOff", true), "what failed is known to whoever tries");
}
