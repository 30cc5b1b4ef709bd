//! What a test cannot do without: there, or skipped by name and reason; in CI it must be there.

use std::{path::PathBuf, process::Command};

/// True when this user is root; otherwise the test is skipped.
pub(crate) fn need_root(test: &str) -> bool {
    need(test, rustix::process::geteuid().is_root(), "containers need root")
}

/// True when there is a kubectl; otherwise the test is skipped.
pub(crate) fn need_kubectl(test: &str) -> bool {
    let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
    let works = Command::new(kubectl)
        .args(["version", "--client"])
        .output()
        .is_ok_and(|output| output.status.success());
    need(test, works, "there is no kubectl; `cargo xtask tools` brings one")
}

/// The program that this variable names; without it the test is skipped.
pub(crate) fn need_program(test: &str, variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    need(test, path.is_some(), &format!("{variable} is not set; `cargo xtask test` sets it"))
        .then_some(path)
        .flatten()
}

/// A file of the reference material beside the project; without it the test is skipped.
pub(crate) fn need_shared(test: &str, path: &str) -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join("../shared").join(path);
    need(test, path.exists(), &format!("{} is not there", path.display())).then_some(path)
}

fn need(test: &str, there: bool, reason: &str) -> bool {
    if !there {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {reason}");
        eprintln!("skipped: {test}: {reason}");
    }
    there
}
