use super::*;

fn probe(eager: bool, tcp: bool) -> Probe {
    let schedule = Schedule {
        initial_delay: Duration::from_secs(5),
        period: Duration::from_secs(7),
        timeout: Duration::from_secs(1),
        success_threshold: 2,
        failure_threshold: 3,
        eager,
    };
    let target = if tcp {
        Target::Tcp { port: 1 }
    } else {
        Target::Http { port: 1, path: "/".into(), headers: vec![] }
    };
    Probe::new(Kind::Readiness, target, schedule)
}

#[test]
fn waits() {
    let after_start = |ms: u64| Some(Duration::from_millis(ms));
    for (eager, tcp, since, expect) in [
        (true, true, None, Duration::ZERO),
        (true, false, None, Duration::ZERO),
        (false, true, None, Duration::from_secs(5)),
        (true, true, after_start(1), EAGER),
        (true, true, after_start(40), Duration::from_millis(5)),
        (true, true, after_start(900), PATIENT),
        (true, false, after_start(1), PATIENT),
        (false, true, after_start(1), Duration::from_secs(7)),
    ] {
        assert_eq!(probe(eager, tcp).wait(since), expect, "eager {eager} tcp {tcp} since {since:?}");
    }
}

#[test]
fn thresholds_count_in_a_row() {
    let mut probe = probe(false, true);
    let verdicts: Vec<_> = [true, false, true, true, true, false, false, true, false, false, false, false]
        .map(|success| probe.note(success))
        .to_vec();
    use Verdict::{Failing, Passing, Same};
    assert_eq!(verdicts, [Same, Same, Same, Passing, Same, Same, Same, Same, Same, Same, Failing, Same]);
}

#[test]
fn a_probe_that_goes_on_is_tried_at_once_and_has_passed() {
    let mut probe = probe(true, true);
    probe.resume();
    assert_eq!(probe.wait(None), Duration::ZERO);
    assert_eq!(probe.note(true), Verdict::Same, "that is nothing new");
    assert_eq!([(); 3].map(|()| probe.note(false)).last(), Some(&Verdict::Failing));
}

#[test]
fn an_eager_probe_fails_only_after_it_has_passed() {
    let mut probe = probe(true, true);
    assert!((0..100).all(|_| probe.note(false) == Verdict::Same));
    assert_eq!((probe.note(true), probe.note(true)), (Verdict::Same, Verdict::Passing));
    assert_eq!([probe.note(false), probe.note(false), probe.note(false)].last(), Some(&Verdict::Failing));
    assert_eq!(probe.wait(Some(Duration::ZERO)), Duration::from_secs(7));
}
