//! Clients in other languages than Rust, that the tests run against what we serve.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::go_program::GoProgram;
use super::{debian, find_program};
use crate::cache::Cache;
use crate::process;

const CLIENT_GO: GoProgram<'_> = GoProgram {
    name: "client-go",
    sources: &[
        ("main.go", include_str!("../../client-go/main.go")),
        ("follow.go", include_str!("../../client-go/follow.go")),
        ("messages.go", include_str!("../../client-go/messages.go")),
        ("send.go", include_str!("../../client-go/send.go")),
        ("go.mod", include_str!("../../client-go/go.mod")),
        ("go.sum", include_str!("../../client-go/go.sum")),
    ],
    linker_flags: "-s -w",
};

/// What the Python client and all that it needs are, each with its version.
const REQUIREMENTS: &str = include_str!("../../python-client/requirements.txt");

pub(super) fn client_go(cache: &Cache) -> Result<PathBuf> {
    CLIENT_GO.find_or_build(cache)
}

/// A Python that has the Kubernetes client, in an environment of its own in the cache.
pub(super) fn python(cache: &Cache) -> Result<PathBuf> {
    let folder = cache.path("python-client");
    let (program, installed) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if program.is_file() && fs::read_to_string(&installed).is_ok_and(|there| there == REQUIREMENTS) {
        return Ok(program);
    }
    println!("installing the Python client (once)");
    let make = || {
        let python = find_program("python3").context("there is no python3")?;
        process::output(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))
    };
    if make().is_err() {
        debian::install(&["python3-venv"])?;
        make().context("cannot make an environment for the Python client")?;
    }
    let listed = folder.join("wanted.txt");
    fs::write(&listed, REQUIREMENTS).with_context(|| format!("cannot write {}", listed.display()))?;
    let mut pip = Command::new(&program);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--requirement"]);
    process::output(pip.arg(&listed)).context("cannot install the Python client")?;
    fs::rename(&listed, &installed).context("cannot note what is installed of the Python client")?;
    Ok(program)
}
