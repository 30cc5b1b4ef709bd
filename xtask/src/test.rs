//! `cargo xtask test`: tools, house rules, lints, then every test binary of the workspace, watched.
//!
//! Every step runs even when an earlier one failed, so that one run shows everything; the last line counts.

mod binary;
mod build;
mod documentation;
mod libtest;
mod tally;

use std::process::ExitCode;

use anyhow::Result;

use crate::tools::Tools;
use crate::workspace::{Workspace, cargo};
use crate::{in_ci, process, tidy, tools};
use tally::Tally;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Clippy with warnings as errors; always with CI=true.
    pub(crate) lint: bool,
    /// Only these crates; all when empty.
    pub(crate) packages: Vec<String>,
    /// Only tests whose name contains this.
    pub(crate) filter: Option<String>,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), &options.filter) {
                ("--lint", _) => options.lint = true,
                ("-p" | "--package", _) => match args.next() {
                    Some(package) => options.packages.push(package.clone()),
                    None => anyhow::bail!("{arg} needs the name of a crate"),
                },
                (filter, None) if !filter.starts_with('-') => options.filter = Some(filter.to_owned()),
                (other, _) => {
                    anyhow::bail!("`cargo xtask test` does not take `{other}`; see `cargo xtask help`")
                }
            }
        }
        Ok(options)
    }

    /// Which packages Cargo shall work on, and whether it may change Cargo.lock.
    fn cargo_arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            self.packages.iter().flat_map(|p| ["-p".into(), p.clone()]).collect();
        if arguments.is_empty() {
            arguments.push("--workspace".into());
        }
        if in_ci() {
            arguments.push("--locked".into());
        }
        arguments
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut tally = Tally::default();
    let tools = tally.step("tools", tools::for_tests).unwrap_or_default();
    tally.step("tidy", || tidy::check(workspace));
    if options.lint || in_ci() {
        tally.step("clippy", || clippy(workspace, options));
    }
    if let Some(built) = tally.step("build", || build::test_binaries(workspace, options)) {
        run_tests(workspace, options, &tools, &built, &mut tally)?;
    }
    println!();
    if in_ci() && !tally.skipped.is_empty() {
        println!("with CI=true a skipped test is a failure");
    }
    println!("{tally}");
    Ok(if tally.is_success(in_ci()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_tests(
    workspace: &Workspace,
    options: &Options,
    tools: &Tools,
    built: &build::Built,
    tally: &mut Tally,
) -> Result<()> {
    for test in &built.tests {
        binary::run(test, built, tools, options, tally)?;
        if tally.interrupted() {
            return Ok(());
        }
    }
    documentation::run(workspace, options, tally)
}

fn clippy(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut command = cargo(&workspace.root);
    command.arg("clippy").args(options.cargo_arguments()).args(["--all-targets", "--", "-D", "warnings"]);
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_crates_and_one_filter() {
        let parse =
            |line: &str| Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        assert_eq!(parse("").unwrap(), Options::default());
        let options = parse("--lint -p node -p storage wakes").unwrap();
        assert_eq!(options.packages, ["node", "storage"]);
        assert_eq!((options.lint, options.filter.as_deref()), (true, Some("wakes")));
        for wrong in ["one two", "--nocapture", "-p"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
