//! `cargo xtask`: everything a developer or CI does with this tree, in one program that compiles in seconds.
//!
//! ```text
//!  test ─▶ tools ─▶ tidy ─▶ clippy ─▶ build ─▶ each test binary, watched; examples ─▶ N passed, N failed, N skipped
//!            │        │       (with --lint or CI=true)
//!            │        └─ the rules of the house, each a pure function of the tree
//!            └─ Debian packages; kubectl, Go and clients in other languages, in caches outside the clone
//! ```
//!
//! It knows the shape of the tree and nothing of what the product does: it links no crate of the workspace.

#![allow(clippy::print_stdout, reason = "a command line program: its output is its product")]

mod bench;
mod cache;
mod dist;
mod process;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--lint] [-p CRATE]... [FILTER]   install what the tests need, check the house rules, run the tests
  ci                                     what CI runs: test --lint
  tidy                                   the house rules alone
  tools                                  install what the tests need, and say where it is
  bench [ARG]...                         measure a release build against its floors and peers
  dist                                   release binary with its checksum, in target/dist

environment:
  CI=true      a missing tool or a skipped test is a failure
  EBB_CACHE    where tools are kept (default: $XDG_CACHE_HOME/ebb, else ~/.cache/ebb)
  EBB_KUBECTL  the kubectl to test with, if it is new enough";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let (command, rest) = args.split_first().map_or(("help", args), |(first, rest)| (first.as_str(), rest));
    let takes_arguments = matches!(command, "test" | "bench");
    anyhow::ensure!(takes_arguments || rest.is_empty(), "`{command}` takes no arguments\n\n{USAGE}");
    match command {
        "test" => test::run(&Workspace::load()?, &test::Options::parse(rest)?),
        "ci" => test::run(&Workspace::load()?, &test::Options { lint: true, ..Default::default() }),
        "tidy" => tidy::run(&Workspace::load()?),
        "tools" => tools::run(),
        "bench" => bench::run(&Workspace::load()?, rest),
        "dist" => dist::run(&Workspace::load()?),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => anyhow::bail!("there is no command `{unknown}`\n\n{USAGE}"),
    }
}

/// Whether this run must not let anything be missing or skipped.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
