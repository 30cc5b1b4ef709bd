//! What the tests need beside Rust: a few Debian packages, a kubectl that is new enough, and clients in other languages.

mod clients;
mod debian;
mod go;
mod go_program;
mod kubectl;
mod version;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use debian::Need;

/// What was found, and what was not.
#[derive(Default)]
pub(crate) struct Tools {
    kubectl: Option<PathBuf>,
    /// The folder of a Go that is new enough, for the tests that build a real kube-apiserver.
    go: Option<PathBuf>,
    client_go: Option<PathBuf>,
    /// A Python with the Kubernetes client.
    python: Option<PathBuf>,
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
        for (name, program) in self.named() {
            if let Some(program) = program {
                command.env(name, program);
            }
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

impl Tools {
    /// The programs by the variables that name them.
    fn named(&self) -> [(&'static str, &Option<PathBuf>); 3] {
        [("EBB_KUBECTL", &self.kubectl), ("EBB_CLIENT_GO", &self.client_go), ("EBB_PYTHON", &self.python)]
    }

    /// Takes a tool, or notes why there is none.
    fn take(&mut self, tool: &str, needed_by: &'static str, found: Result<PathBuf>) -> Option<PathBuf> {
        let missing = |error| Missing { tool: tool.into(), needed_by, why: format!("{error:#}") };
        found.map_err(|error| self.missing.push(missing(error))).ok()
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
    let user = "crates/ebb: everything a user does with kubectl";
    tools.kubectl = tools.take("kubectl", user, kubectl::find_or_build(&cache));
    let peer = "crates/objects, crates/controllers: a real kube-apiserver";
    let go = go::find_or_install().and_then(|go| go.folder().context("Go lies in no folder"));
    tools.go = tools.take("go", peer, go);
    let users = "crates/apiserver, crates/ebb: users' programs";
    tools.client_go = tools.take("client-go", users, clients::client_go(&cache));
    tools.python = tools.take("python", users, clients::python(&cache));
    report(&tools)?;
    Ok(tools)
}

fn report(tools: &Tools) -> Result<()> {
    for (name, program) in tools.named() {
        if let Some(program) = program {
            println!("{name}={}", program.display());
        }
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
