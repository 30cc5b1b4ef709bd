//! What a test binary says about its tests, read from the text that it prints for people.
//!
//! ```text
//!  running 3 tests
//!  test a ... ok                                   ← a result
//!  test b has been running for over 60 seconds     ← still at it
//!  test c ... ▮                                    ← with one thread the name comes first
//!  successes:
//!  ---- a stdout ----                              ← what a passed test wrote: a skip is found here
//!  skipped: a: no kubectl
//!  failures:                                       ← shown as it is
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::tally::Skip;

/// Longer lines are cut: no test's output may fill our memory.
const LINE_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Ignored,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Results,
    Successes,
    Failures,
}

/// A line, and whether a reader wants to see it while the tests run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Passed,
    Told,
    Noise,
}

#[derive(Debug, Default)]
pub(super) struct Transcript {
    results: BTreeMap<String, Outcome>,
    skips: BTreeMap<String, String>,
    slow: BTreeSet<String>,
    section: Section,
    /// The test whose captured output we are reading.
    speaker: Option<String>,
    /// Named, and its result not yet told.
    begun: Option<String>,
}

impl Transcript {
    /// Takes the next line of standard output.
    pub(super) fn line(&mut self, line: &str) -> Line {
        match line {
            "successes:" => return self.enter(Section::Successes, Line::Noise),
            "failures:" => return self.enter(Section::Failures, Line::Told),
            _ if line.starts_with("test result: ") => return self.enter(Section::Results, Line::Noise),
            _ => {}
        }
        match self.section {
            Section::Results => self.result_line(line),
            Section::Successes => {
                self.captured_line(line);
                Line::Noise
            }
            Section::Failures => Line::Told,
        }
    }

    /// Takes a skip that a test told past the harness; call it when the results are known.
    pub(super) fn skip(&mut self, Skip { name, reason }: Skip) {
        let test = self.results.keys().find(|test| is_called(test, &name)).cloned();
        self.skips.insert(test.unwrap_or(name), reason);
    }

    /// Takes a line that is not finished: with one thread, the test that is running.
    pub(super) fn unfinished_line(&mut self, line: &str) {
        if let Some((name, _)) = self.section.eq(&Section::Results).then(|| announced(line)).flatten() {
            self.begun = Some(name.to_owned());
        }
    }

    pub(super) fn outcome(&self, test: &str) -> Option<Outcome> {
        self.results.get(test).copied()
    }

    /// Tests known to have begun and not to have ended.
    pub(super) fn running(&self) -> Vec<&str> {
        let begun = self.slow.iter().chain(&self.begun).map(String::as_str);
        let running: BTreeSet<_> = begun.filter(|test| !self.results.contains_key(*test)).collect();
        running.into_iter().collect()
    }

    /// Passed and not skipped.
    pub(super) fn passed(&self) -> usize {
        let passed = self.results.iter().filter(|(_, outcome)| **outcome == Outcome::Passed);
        passed.filter(|(test, _)| !self.skips.contains_key(*test)).count()
    }

    pub(super) fn failed(&self) -> impl Iterator<Item = &str> {
        self.results.iter().filter(|(_, outcome)| **outcome == Outcome::Failed).map(|(test, _)| test.as_str())
    }

    pub(super) fn skipped(&self) -> Vec<Skip> {
        let ignored = self.results.iter().filter(|(_, outcome)| **outcome == Outcome::Ignored);
        let ignored = ignored.map(|(test, _)| Skip { name: test.clone(), reason: "#[ignore]".into() });
        let told = self.skips.iter().filter(|(test, _)| self.outcome(test) != Some(Outcome::Failed));
        let told = told.map(|(name, reason)| Skip { name: name.clone(), reason: reason.clone() });
        told.chain(ignored).collect()
    }

    fn enter(&mut self, section: Section, line: Line) -> Line {
        self.section = section;
        self.speaker = None;
        line
    }

    fn result_line(&mut self, line: &str) -> Line {
        if let Some((name, rest)) = announced(line) {
            self.begun = Some(name.to_owned());
            return self.verdict(rest);
        }
        if let Some(slow) =
            line.strip_prefix("test ").and_then(|l| l.split_once(" has been running for over "))
        {
            self.slow.insert(slow.0.to_owned());
            return Line::Told;
        }
        if line.is_empty() || (line.starts_with("running ") && line.contains(" test")) {
            return Line::Noise;
        }
        self.verdict(line)
    }

    /// The result of the test that was named last: on its line, or after what it printed past the harness.
    fn verdict(&mut self, text: &str) -> Line {
        let outcome = match text.trim_end() {
            "ok" => Outcome::Passed,
            "FAILED" => Outcome::Failed,
            text if text == "ignored" || text.starts_with("ignored, ") => Outcome::Ignored,
            _ => return Line::Told,
        };
        let Some(test) = self.begun.take() else { return Line::Told };
        self.results.insert(test, outcome);
        if outcome == Outcome::Passed { Line::Passed } else { Line::Told }
    }

    fn captured_line(&mut self, line: &str) {
        if let Some(speaker) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")) {
            self.speaker = Some(bare(speaker).to_owned());
        } else if let (Some(speaker), Some(skip)) = (&self.speaker, skip(line)) {
            self.skips.insert(speaker.clone(), skip.reason);
        }
    }
}

/// `test NAME ... REST`
fn announced(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((bare(name), rest))
}

/// A test's name without what the harness adds for people.
fn bare(name: &str) -> &str {
    name.strip_suffix(" - should panic").unwrap_or(name)
}

/// `skipped: NAME: REASON`
pub(super) fn skip(line: &str) -> Option<Skip> {
    let (name, reason) = line.trim().strip_prefix("skipped: ")?.split_once(": ")?;
    Some(Skip { name: name.to_owned(), reason: reason.to_owned() })
}

fn is_called(test: &str, name: &str) -> bool {
    test == name || test.strip_suffix(name).is_some_and(|path| path.ends_with("::"))
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
pub(super) struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_MAX.saturating_sub(self.unfinished.len());
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.unfinished.extend_from_slice(&text[..text.len().min(room)]);
            if piece.ends_with(b"\n") {
                line(&String::from_utf8_lossy(&self.unfinished));
                self.unfinished.clear();
            }
        }
    }

    pub(super) fn unfinished(&self) -> String {
        String::from_utf8_lossy(&self.unfinished).into_owned()
    }
}

#[cfg(test)]
mod tests;
