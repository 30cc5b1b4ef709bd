//! A Go toolchain that is new enough for the clients of the tests: the machine's, or one fetched as a Go module.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::version::Version;
use super::{debian, find_program};
use crate::process;

/// What `xtask/kubectl/go.mod` and `xtask/client-go/go.mod` ask for.
const OLDEST: Version = Version { major: 1, minor: 24 };
/// Fetched when the machine's Go is older. A toolchain is a Go module too, so any Go can fetch it, checked
/// against Go's checksum database like every other; Debian 12's Go (1.19) is too old to do so by itself.
const FETCHED: &str = "1.24.11";

pub(super) struct Go {
    program: PathBuf,
    version: String,
}

impl Go {
    /// The folder to put into `PATH`.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.program.parent().map(Path::to_owned)
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // The one we chose, with its own root, whatever the user's environment says of another.
        command.env_remove("GOROOT").env("GOTOOLCHAIN", "local").env("GOFLAGS", "").env("CGO_ENABLED", "0");
        command
    }

    fn at(program: PathBuf) -> Result<(Self, Version)> {
        let mut go = Self { program, version: String::new() };
        go.version = process::output(go.command().args(["env", "GOVERSION"]))?.trim().to_owned();
        let version = parse(&go.version).with_context(|| format!("`{}` is no version of Go", go.version))?;
        Ok((go, version))
    }
}

pub(super) fn find_or_install() -> Result<Go> {
    if let Some(go) = newest_installed() {
        return new_enough(go);
    }
    debian::install(&["golang-go"]).context("there is no Go to build the clients of the tests with")?;
    new_enough(newest_installed().context("golang-go is installed, but Go is not found")?)
}

fn new_enough((go, version): (Go, Version)) -> Result<Go> {
    if version >= OLDEST { Ok(go) } else { fetch_toolchain(&go) }
}

fn newest_installed() -> Option<(Go, Version)> {
    let places = [find_program("go"), Some("/usr/local/go/bin/go".into()), Some("/usr/lib/go/bin/go".into())];
    places
        .into_iter()
        .flatten()
        .filter_map(|program| Go::at(program).ok())
        .max_by_key(|(_, version)| *version)
}

fn fetch_toolchain(old: &Go) -> Result<Go> {
    println!("{} is too old; fetching go{FETCHED}", old.version);
    let module = format!("golang.org/toolchain@v0.0.1-go{FETCHED}.linux-{}", architecture(old)?);
    let answer = process::output(old.command().args(["mod", "download", "-json", &module]))
        .with_context(|| format!("cannot fetch {module}"))?;
    let answer: Value = serde_json::from_str(&answer).context("`go mod download` wrote bad JSON")?;
    let root =
        PathBuf::from(answer["Dir"].as_str().with_context(|| format!("`go mod download` gave no {module}"))?);
    make_executable(&root.join("bin"))?;
    make_executable(&root.join("pkg/tool"))?;
    Ok(Go::at(root.join("bin/go"))?.0)
}

fn architecture(go: &Go) -> Result<String> {
    Ok(process::output(go.command().args(["env", "GOHOSTARCH"]))?.trim().to_owned())
}

/// Files of a module are unpacked without the right to run them; a Go that knows toolchains mends that itself.
fn make_executable(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no {} in the toolchain", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            make_executable(&path)?;
        } else {
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755))
                .with_context(|| format!("cannot make {} executable", path.display()))?;
        }
    }
    Ok(())
}

/// `go1.24.11`, `go1.26rc1`, …
fn parse(version: &str) -> Option<Version> {
    Version::parse(version.strip_prefix("go")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_compared_by_number() {
        let new_enough = |version| parse(version).map(|version| version >= OLDEST);
        assert_eq!(new_enough("go1.19.8"), Some(false));
        assert_eq!(new_enough("go1.9"), Some(false));
        assert_eq!(new_enough("go1.24.11"), Some(true));
        assert_eq!(new_enough("go1.26rc1"), Some(true));
        assert_eq!(new_enough("devel"), None);
    }
}
