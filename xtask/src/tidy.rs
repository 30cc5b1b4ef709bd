//! The rules of the house, each a pure function of the tree: what it finds says where, and what to do.
//!
//! ```text
//!  cargo metadata ─┐
//!  files on disk ──┴─▶ Tree ─▶ edges · names · sources · manifests · documents · lockfile · ledger ─▶ findings
//! ```

mod dependencies;
mod documents;
mod edges;
mod finding;
mod ledger;
mod lockfile;
mod machine_paths;
mod manifests;
mod names;
mod rust_text;
mod sources;
mod table;
mod tree;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::workspace::{Workspace, cargo};
use finding::Finding;
use tree::Tree;

pub(crate) use tree::rust_files;

type Rule = fn(&Workspace, &Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    |workspace, tree| edges::check(&workspace.packages, tree),
    |_, tree| names::check(tree),
    |_, tree| sources::check(tree),
    |workspace, tree| manifests::check(&workspace.packages, tree),
    |_, tree| dependencies::check(tree),
    |_, tree| documents::check(tree),
    |_, tree| lockfile::check(tree),
    |workspace, tree| machine_paths::check(&workspace.root, tree),
    |workspace, tree| ledger::check(&workspace.packages, tree),
];

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    check(workspace)?;
    println!("the tree is tidy");
    Ok(ExitCode::SUCCESS)
}

/// Prints every finding; an error when there was one.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = findings(workspace)?;
    findings.extend(unformatted(workspace)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} breaches of the house rules, listed above", findings.len());
    Ok(())
}

fn findings(workspace: &Workspace) -> Result<Vec<Finding>> {
    let tree = Tree::read(&workspace.root)?;
    Ok(RULES.iter().flat_map(|rule| rule(workspace, &tree)).collect())
}

fn unformatted(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut command = cargo(&workspace.root);
    command.args(["fmt", "--all", "--check", "--", "-l"]);
    let output = command.output()?;
    let files = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = files.lines().map(|file| {
        let file = file.strip_prefix(&format!("{}/", workspace.root.display())).unwrap_or(file);
        Finding::file("format", file, "not as rustfmt writes it: run `cargo fmt --all`")
    });
    let mut found: Vec<Finding> = found.collect();
    if found.is_empty() && !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        found.push(Finding::file("format", "Cargo.toml", &format!("`cargo fmt` failed: {}", why.trim())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_tree_is_tidy() {
        let workspace = Workspace::load().unwrap();
        let shown: Vec<_> = findings(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert!(shown.is_empty(), "\n{}", shown.join("\n"));
    }
}
