//! `cargo xtask bench`: builds the measuring program and the product for release, and runs it. What it prints as a table is
//! written as JSON too.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::workspace::{Workspace, cargo};
use crate::{process, tools};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    workspace.package("bench").context("there is no crate `bench` in this tree: nothing to measure with")?;
    let tools = tools::for_bench()?;
    // As one selection: of two, each has features of its own, and the second builds most of the first again.
    process::run(cargo(&workspace.root).args(["build", "--release", "--locked", "--workspace", "--bins"]))?;
    let built = workspace.target_dir.join("release");
    let mut command = Command::new(built.join("bench"));
    command.current_dir(&workspace.root).args(arguments);
    let asked = ["--json", "--help", "-h"];
    let json = workspace.target_dir.join("bench.json");
    let by_default = !arguments.iter().any(|given| asked.iter().any(|it| given.starts_with(it)));
    if by_default {
        command.arg("--json").arg(&json);
    }
    command.env("EBB_BINARY", built.join("ebb"));
    tools.export(&mut command);
    process::run(&mut command)?;
    if by_default {
        println!("The same as JSON: {}", json.display());
    }
    Ok(ExitCode::SUCCESS)
}
