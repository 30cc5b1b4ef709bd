use super::*;

/// Lets a shell speak as a test binary would.
fn check_within(limit: Duration, script: &str, expected: &[&str]) -> Tally {
    let mut tally = Tally::default();
    let expected = expected.iter().map(|name| (*name).to_owned()).collect();
    let speaker = Speaker { name: "node (unit)".into(), expected, limit, verbose: false };
    speaker.watch(Command::new("sh").args(["-c", script]), &mut tally).unwrap();
    tally
}

fn check(script: &str, expected: &[&str]) -> Tally {
    check_within(Duration::from_secs(60), script, expected)
}

#[test]
fn a_good_run_counts_and_skips() {
    let tally =
        check("echo 'test a ... ok'; echo 'test b ... ok'; echo 'skipped: b: no root' >&2", &["a", "b"]);
    assert_eq!((tally.passed, tally.failed.len(), tally.skipped.len()), (1, 0, 1));
}

#[test]
fn a_failed_test_is_counted_once() {
    let tally = check("echo 'test a ... FAILED'; exit 101", &["a"]);
    assert_eq!(tally.failed, ["node (unit): a"]);
}

#[test]
fn a_crash_fails_every_test_that_said_nothing() {
    let tally = check("echo 'test a ... ok'; printf 'test b ... '; kill -SEGV $$", &["a", "b", "c"]);
    assert_eq!(tally.passed, 1);
    assert_eq!(tally.failed.len(), 2);
    assert!(tally.failed[0].starts_with("node (unit): b: was running when the binary ended with signal: 11"));
    assert!(tally.failed[1].starts_with("node (unit): c: did not finish"));
}

#[test]
fn an_unsuccessful_exit_without_a_failed_test_is_a_failure() {
    let tally = check("echo 'test a ... ok'; exit 1", &["a"]);
    assert_eq!(tally.failed, ["node (unit): ended with exit status: 1"]);
}

#[test]
fn a_test_that_hangs_is_named() {
    let script = "echo 'test a ... ok'; printf 'test b ... '; exec sleep 600";
    let tally = check_within(Duration::from_millis(300), script, &["a", "b"]);
    assert_eq!(tally.failed, ["node (unit): b: was running when the limit of 0 s was over"]);
}
