//! What the tests need beside Rust: a few Debian packages and a kubectl that is new enough.

mod debian;
mod go;
mod kubectl;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use crate::cache::Cache;
use debian::Need;

/// What was found, and what was not.
#[derive(Default)]
pub(crate) struct Tools {
    kubectl: Option<PathBuf>,
    /// The folder of a Go that is new enough, for the tests that build a real kube-apiserver.
    go: Option<PathBuf>,
    missing: Vec<Missing>,
}

struct Missing {
    tool: String,
    needed_by: &'static str,
    why: String,
}

impl Tools {
    /// Tells a test run where the tools are. A test that finds its variable unset skips, loudly.
    pub(crate) fn export(&self, command: &mut Command) {
        if let Some(kubectl) = &self.kubectl {
            command.env("EBB_KUBECTL", kubectl);
        }
        if let Some(go) = &self.go {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let path = std::env::join_paths([go.clone()].into_iter().chain(std::env::split_paths(&path)));
            // A folder with a colon in its name cannot be in PATH; then the tests say that there is no Go.
            if let Ok(path) = path {
                command.env("PATH", path);
            }
        }
    }
}

pub(crate) fn run() -> Result<ExitCode> {
    ensure(Need::Test)?;
    Ok(ExitCode::SUCCESS)
}

/// For `cargo xtask test`.
pub(crate) fn for_tests() -> Result<Tools> {
    ensure(Need::Test)
}

/// For `cargo xtask bench`.
pub(crate) fn for_bench() -> Result<Tools> {
    ensure(Need::Bench)
}

/// Installs what is missing. What cannot be had is a note, or with CI=true an error.
fn ensure(need: Need) -> Result<Tools> {
    let cache = Cache::open()?;
    let _one_at_a_time = cache.lock()?;
    let mut tools = Tools { missing: debian::install_missing(need), ..Tools::default() };
    match kubectl::find_or_build(&cache) {
        Ok(path) => tools.kubectl = Some(path),
        Err(error) => tools.missing.push(Missing {
            tool: "kubectl".into(),
            needed_by: "crates/ebb: everything a user does with kubectl",
            why: format!("{error:#}"),
        }),
    }
    match go::find_or_install() {
        Ok(go) => tools.go = go.folder(),
        Err(error) => tools.missing.push(Missing {
            tool: "go".into(),
            needed_by: "crates/objects, crates/controllers: a real kube-apiserver",
            why: format!("{error:#}"),
        }),
    }
    report(&tools)?;
    Ok(tools)
}

fn report(tools: &Tools) -> Result<()> {
    if let Some(kubectl) = &tools.kubectl {
        println!("kubectl: {}", kubectl.display());
    }
    for Missing { tool, needed_by, why } in &tools.missing {
        println!("missing: {tool} ({needed_by}): {why}");
    }
    let names: Vec<_> = tools.missing.iter().map(|missing| missing.tool.as_str()).collect();
    ensure!(
        names.is_empty() || !crate::in_ci(),
        "with CI=true every tool must be there; missing: {}",
        names.join(", ")
    );
    Ok(())
}

/// Looks a program up as a shell would, and where Debian keeps an administrator's programs.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrator = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(administrator)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
