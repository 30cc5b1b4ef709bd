//! Runs one test binary under a time limit, and adds what became of each of its tests to the tally.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Options;
use super::build::{Built, Kind, TestBinary};
use super::libtest::{self, Line, Lines, Transcript};
use super::tally::Tally;
use crate::process::{self, End, Stream};
use crate::tools::Tools;

/// A whole test binary; past this something hangs.
pub(super) const BINARY_MAX: Duration = Duration::from_secs(15 * 60);
/// A platform, its containers and its clients want cores of their own; more at once only makes them late.
const END_TO_END_THREADS: &str = "2";

/// Something that speaks as a test binary does.
pub(super) struct Speaker {
    pub(super) name: String,
    /// Tests that fail when they say nothing.
    pub(super) expected: BTreeSet<String>,
    pub(super) limit: Duration,
    /// Tell each test as it passes: for tests that take long enough to be watched.
    pub(super) verbose: bool,
}

pub(super) fn run(
    test: &TestBinary,
    built: &Built,
    tools: &Tools,
    options: &Options,
    tally: &mut Tally,
) -> Result<()> {
    let expected = match list(test, built, options) {
        Ok(expected) => expected,
        Err(error) => {
            tally.fail(format!("{}: {error:#}", test.name()));
            return Ok(());
        }
    };
    let mut command = command(test, built, options);
    if test.own_main {
        println!("── {}", test.name());
    } else if expected.is_empty() {
        return Ok(());
    } else {
        println!("── {}: {} tests", test.name(), expected.len());
        command.args(["--show-output", "--color=never"]);
    }
    if !test.own_main && test.kind == Kind::Integration && test.package == "ebb" {
        command.args(["--test-threads", END_TO_END_THREADS]);
    }
    tools.export(&mut command);
    let verbose = test.kind == Kind::Integration;
    Speaker { name: test.name(), expected, limit: BINARY_MAX, verbose }.watch(&mut command, tally)
}

impl Speaker {
    pub(super) fn watch(&self, command: &mut Command, tally: &mut Tally) -> Result<()> {
        let began = process::now();
        let (mut transcript, mut skips) = (Transcript::default(), Vec::new());
        let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
        let end = process::watch(command, self.limit, |stream, bytes| match stream {
            Stream::Stdout => stdout.push(bytes, |line| match transcript.line(line) {
                Line::Passed if !self.verbose => {}
                Line::Noise => {}
                Line::Passed | Line::Told => println!("{line}"),
            }),
            // Skips are told at the end, together.
            Stream::Stderr => stderr.push(bytes, |line| match libtest::skip(line) {
                Some(skip) => skips.push(skip),
                None => eprintln!("{line}"),
            }),
        })?;
        transcript.unfinished_line(&stdout.unfinished());
        // After all results: a skip names its test, and that has to be known first.
        skips.into_iter().for_each(|skip| transcript.skip(skip));
        self.account(&end, &transcript, tally);
        println!("   {} passed in {:.1} s", transcript.passed(), (process::now() - began).as_secs_f64());
        Ok(())
    }

    fn account(&self, end: &End, transcript: &Transcript, tally: &mut Tally) {
        let name = &self.name;
        tally.passed += transcript.passed();
        tally.skipped.extend(transcript.skipped().into_iter().map(|skip| skip.of(name)));
        tally.failed.extend(transcript.failed().map(|test| format!("{name}: {test}")));
        let silent = self.expected.iter().any(|test| transcript.outcome(test).is_none());
        if let End::LeftProcesses(_) = end {
            tally.fail(format!("{name}: left processes behind that held its output; they were killed"));
        }
        match end {
            End::Exited(status) | End::LeftProcesses(status) => {
                if silent {
                    self.fail_silent(&format!("the binary ended with {status}"), transcript, tally);
                } else if !status.success() && transcript.failed().next().is_none() {
                    tally.fail(format!("{name}: ended with {status}"));
                }
            }
            End::TimedOut if silent => {
                self.fail_silent(
                    &format!("the limit of {} s was over", self.limit.as_secs()),
                    transcript,
                    tally,
                );
            }
            End::TimedOut => {
                let running = transcript.running().join(", ");
                tally.fail(format!(
                    "{name}: did not end within {} s; running: {running}",
                    self.limit.as_secs()
                ));
            }
            End::Interrupted => tally.interrupt(name),
        }
    }

    fn fail_silent(&self, when: &str, transcript: &Transcript, tally: &mut Tally) {
        let running = transcript.running();
        for test in self.expected.iter().filter(|test| transcript.outcome(test).is_none()) {
            let state = if running.contains(&test.as_str()) { "was running" } else { "did not finish" };
            tally.fail(format!("{}: {test}: {state} when {when}", self.name));
        }
    }
}

/// Asks the binary which tests it would run. One with a `main` of its own is asked for nothing: its exit counts,
/// and each line `test NAME ... ok` that it prints.
fn list(test: &TestBinary, built: &Built, options: &Options) -> Result<BTreeSet<String>> {
    if test.own_main {
        return Ok(BTreeSet::new());
    }
    let text = process::output(command(test, built, options).args(["--list", "--format=terse"]))?;
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect())
}

/// The binary in the surroundings that Cargo would give it.
fn command(test: &TestBinary, built: &Built, options: &Options) -> Command {
    let mut command = Command::new(&test.path);
    command
        .current_dir(&test.folder)
        .env("CARGO_MANIFEST_DIR", &test.folder)
        .env("CARGO_PKG_NAME", &test.package);
    command.envs(built.programs_of(&test.package)).args(&options.filter);
    command
}

#[cfg(test)]
mod tests;
