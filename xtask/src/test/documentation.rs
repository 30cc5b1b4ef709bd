//! Examples in documentation comments, by `cargo test --doc`, for the crates that have any.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Options;
use super::binary::{self, Speaker};
use super::tally::Tally;
use crate::in_ci;
use crate::tidy::rust_files;
use crate::workspace::{Workspace, cargo};

pub(super) fn run(workspace: &Workspace, options: &Options, tally: &mut Tally) -> Result<()> {
    let asked = |name: &String| options.packages.is_empty() || options.packages.contains(name);
    for package in workspace.packages.iter().filter(|package| package.has_doctests && asked(&package.name)) {
        if tally.interrupted() || !has_examples(&workspace.root.join(&package.folder).join("src"))? {
            continue;
        }
        let name = format!("{} (documentation)", package.name);
        println!("── {name}");
        let mut command = cargo(&workspace.root);
        command.args(["test", "--doc", "--quiet", "-p", &package.name]).args(in_ci().then_some("--locked"));
        command.args(["--", "--format=pretty", "--show-output", "--color=never"]).args(&options.filter);
        let limit = binary::BINARY_MAX;
        Speaker { name, expected: BTreeSet::new(), limit, verbose: true }.watch(&mut command, tally)?;
    }
    Ok(())
}

fn has_examples(sources: &Path) -> Result<bool> {
    for file in rust_files(sources)? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if is_example_in(&text) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a documentation comment opens a block of code that rustdoc takes for Rust.
fn is_example_in(text: &str) -> bool {
    let comments = text.lines().map(str::trim_start);
    let comments = comments.filter_map(|line| line.strip_prefix("///").or_else(|| line.strip_prefix("//!")));
    let fences = comments.filter_map(|line| line.trim().strip_prefix("```"));
    // Every other fence closes a block.
    fences.step_by(2).any(|info| {
        let mut words =
            info.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.all(|word| {
            ["rust", "should_panic", "no_run", "compile_fail"].contains(&word) || word.starts_with("edition")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_of_rust_are_examples() {
        let check = |text: &str, expect: bool| assert_eq!(is_example_in(text), expect, "{text}");
        check("//! ```text\n//! a ─▶ b\n//! ```\n", false);
        check("/// ```\n/// assert!(true);\n/// ```\n", true);
        check("    /// ```no_run\n    /// f();\n    /// ```\n", true);
        check("//! ```text\n//! a\n//! ```\n//! words\n//! ```\n//! f();\n//! ```\n", true);
        check("/// ```yaml\n/// a: 1\n/// ```\n", false);
        check("/// ```ignore\n/// f();\n/// ```\n", false);
        check("let fence = \"```\";\n", false);
    }
}
