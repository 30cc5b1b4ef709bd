use super::*;

fn read(text: &str) -> (Transcript, Vec<String>) {
    let mut transcript = Transcript::default();
    let mut told = Vec::new();
    let mut lines = Lines::default();
    lines.push(text.as_bytes(), |line| {
        if transcript.line(line) == Line::Told {
            told.push(line.to_owned());
        }
    });
    transcript.unfinished_line(&lines.unfinished());
    (transcript, told)
}

fn skips(transcript: &Transcript) -> Vec<(String, String)> {
    transcript.skipped().into_iter().map(|skip| (skip.name, skip.reason)).collect()
}

#[test]
fn results_are_counted_and_only_what_matters_is_told() {
    let (transcript, told) = read(
        "\nrunning 4 tests\ntest a::fast ... ok\ntest a::panics - should panic ... ok\ntest b ... FAILED\n\
         test c ... ignored, needs a cluster\n\nsuccesses:\n\n---- a::fast stdout ----\ntest b ... ok\n\n\n\
         successes:\n    a::fast\n\nfailures:\n\n---- b stdout ----\nleft: 1\nright: 2\n\nfailures:\n    b\n\n\
         test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n",
    );
    assert_eq!(transcript.passed(), 2);
    assert_eq!(transcript.outcome("a::panics"), Some(Outcome::Passed));
    assert_eq!(transcript.failed().collect::<Vec<_>>(), ["b"]);
    assert_eq!(skips(&transcript), [("c".into(), "#[ignore]".into())]);
    assert_eq!(told[..3], ["test b ... FAILED", "test c ... ignored, needs a cluster", "failures:"]);
    assert!(told.contains(&"right: 2".into()), "{told:?}");
}

#[test]
fn a_skip_in_captured_output_belongs_to_the_test_that_wrote_it() {
    let (transcript, _) = read(
        "running 2 tests\ntest pod::starts ... ok\ntest pod::stops ... ok\n\nsuccesses:\n\n\
         ---- pod::starts stdout ----\nskipped: starts: no cgroups: read-only\n\n\nsuccesses:\n    pod::starts\n\
         \x20   pod::stops\n\ntest result: ok. 2 passed; 0 failed;\n",
    );
    assert_eq!(transcript.passed(), 1);
    assert_eq!(skips(&transcript), [("pod::starts".into(), "no cgroups: read-only".into())]);
}

#[test]
fn a_skip_past_the_harness_is_matched_by_name() {
    let (mut transcript, _) = read("test pod::starts ... ok\ntest pod::restarts ... ok\n");
    transcript.skip(skip("skipped: starts: not root").unwrap());
    transcript.skip(skip("skipped: half of a test: no kubectl").unwrap());
    assert_eq!(transcript.passed(), 1);
    assert_eq!(
        skips(&transcript),
        [("half of a test".into(), "no kubectl".into()), ("pod::starts".into(), "not root".into())]
    );
}

#[test]
fn a_failed_test_is_not_skipped_too() {
    let (mut transcript, _) = read("test a ... FAILED\n");
    transcript.skip(skip("skipped: a: no kubectl").unwrap());
    assert_eq!(skips(&transcript), []);
    assert_eq!(transcript.failed().count(), 1);
}

#[test]
fn running_tests_are_known_by_the_minute_or_by_the_unfinished_line() {
    let (transcript, told) = read(
        "test slow has been running for over 60 seconds\ntest slower has been running for over 60 seconds\n\
         test slow ... ok\ntest hangs ... ",
    );
    assert_eq!(transcript.running(), ["hangs", "slower"]);
    assert_eq!(told.len(), 2);
}

#[test]
fn output_past_the_harness_does_not_hide_the_result() {
    let (transcript, told) = read("test loud ... starting\nstill here\nok\n");
    assert_eq!(transcript.outcome("loud"), Some(Outcome::Passed));
    assert_eq!(told, ["test loud ... starting", "still here"]);
}

#[test]
fn lines_are_joined_over_pieces_and_cut_at_the_limit() {
    let mut lines = Lines::default();
    let mut seen = Vec::new();
    for piece in ["one li", "ne\ntwo\n", "thr"] {
        lines.push(piece.as_bytes(), |line| seen.push(line.to_owned()));
    }
    assert_eq!(seen, ["one line", "two"]);
    assert_eq!(lines.unfinished(), "thr");
    lines.push(&vec![b'x'; 2 * LINE_MAX], |_| unreachable!("no line has ended"));
    lines.push(b"\n", |line| assert_eq!(line.len(), LINE_MAX));
}
