//! `cargo xtask dist`: the release binary under the name it is published by, with its checksum beside it.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::{Workspace, cargo};

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let ebb = workspace.package("ebb").context("there is no crate `ebb` to release")?;
    let mut build = cargo(&workspace.root);
    build.args(["build", "--profile", "dist", "--locked", "-p", "ebb", "--bin", "ebb"]);
    if let Ok(origin) = Origin::of(&workspace.root) {
        build.env("EBB_GIT_REVISION", origin.revision).env("EBB_BUILD_DATE", origin.date);
    }
    process::run(&mut build)?;
    let folder = workspace.target_dir.join("dist");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = file_name(&ebb.version, &host()?)?;
    fs::copy(workspace.target_dir.join("dist/ebb"), folder.join(&name))
        .with_context(|| format!("cannot write {name} to {}", folder.display()))?;
    let checksum = process::output(Command::new("sha256sum").arg(&name).current_dir(&folder))?;
    fs::write(folder.join(format!("{name}.sha256")), &checksum)
        .with_context(|| format!("cannot write the checksum of {name}"))?;
    println!("{}", folder.join(&name).display());
    print!("{checksum}");
    Ok(ExitCode::SUCCESS)
}

/// What `ebb version` says of a release. The same sources say the same: the date is that of the commit, or
/// `SOURCE_DATE_EPOCH`.
struct Origin {
    revision: String,
    date: String,
}

impl Origin {
    /// Of a checkout; an error where there is none, or no git.
    fn of(root: &Path) -> Result<Self> {
        let git = |args: &[&str]| process::output(Command::new("git").args(args).current_dir(root));
        let revision = git(&["describe", "--always", "--dirty", "--exclude", "*"])?.trim().to_owned();
        let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(seconds) => seconds,
            Err(_) => git(&["log", "-1", "--format=%ct"])?,
        };
        let date = process::output(Command::new("date").args([
            "-u",
            "-d",
            &format!("@{}", seconds.trim()),
            "+%Y-%m-%dT%H:%M:%SZ",
        ]))?;
        Ok(Self { revision, date: date.trim().to_owned() })
    }
}

/// The triple that the compiler builds for.
fn host() -> Result<String> {
    let version = process::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

fn file_name(version: &str, triple: &str) -> Result<String> {
    let architecture = triple.split_once('-').filter(|(_, system)| system.contains("linux"));
    let (architecture, _) =
        architecture.with_context(|| format!("Ebb runs on Linux only, not on {triple}"))?;
    Ok(format!("ebb-{version}-{architecture}-linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_version_and_architecture() {
        assert_eq!(file_name("0.1.0", "x86_64-unknown-linux-gnu").unwrap(), "ebb-0.1.0-x86_64-linux");
        assert_eq!(file_name("1.2.3", "aarch64-unknown-linux-musl").unwrap(), "ebb-1.2.3-aarch64-linux");
        assert!(file_name("1.2.3", "aarch64-apple-darwin").is_err());
    }
}
