//! `cargo xtask bench`: builds the measuring program and the product for release, and runs it.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, cargo};
use crate::{process, tools};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    workspace.package("bench").context("there is no crate `bench` in this tree: nothing to measure with")?;
    let tools = tools::for_bench()?;
    process::run(cargo(&workspace.root).args(["build", "--release", "--locked", "-p", "ebb"]))?;
    let mut command = cargo(&workspace.root);
    command.args(["run", "--release", "--locked", "--quiet", "-p", "bench", "--"]).args(arguments);
    command.env("EBB_BINARY", workspace.target_dir.join("release/ebb"));
    tools.export(&mut command);
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
