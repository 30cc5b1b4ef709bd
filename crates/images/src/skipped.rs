//! Tests that this machine cannot run.

use std::io::Write;

/// True, and said aloud (the harness does not capture this), without root; a failure where `CI=true`.
pub(crate) fn without_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skipped(test, "not root");
    }
    !root
}

pub(crate) fn skipped(test: &str, reason: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} must run here, but: {reason}");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
