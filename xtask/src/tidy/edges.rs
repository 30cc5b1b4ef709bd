//! Which crate may use which: the table of ARCHITECTURE.md, held against `cargo metadata`.

use super::finding::Finding;
use super::table::{cells, is_rule};
use super::tree::Tree;
use crate::workspace::{Dependency, Package};

const RULE: &str = "edges";
const DOCUMENT: &str = "ARCHITECTURE.md";
/// The head of the table.
const HEAD: [&str; 3] = ["crate", "what it is", "may use"];
/// What the last column says of the composition root and of what drives the whole.
const ALL: [&str; 2] = ["all", "any"];

/// What the tests of a crate may use beside that: what a client may rely on, and what reconcilers do, is tested against
/// the real API server.
const TESTS_MAY_USE: &[(&str, &[&str])] =
    &[("objects", &["apiserver", "storage"]), ("controllers", &["apiserver", "storage"])];

/// A row of the table.
struct Row<'a> {
    folder: &'a str,
    may_use: Vec<&'a str>,
}

/// A dependency from elsewhere that some crates must not have.
struct Ban {
    crates: Where,
    dependencies: &'static [&'static str],
    why: &'static str,
}

enum Where {
    In(&'static [&'static str]),
    NotIn(&'static [&'static str]),
}

const BANS: &[Ban] = &[
    Ban {
        crates: Where::NotIn(&["objects", "cli"]),
        dependencies: &["kube"],
        why: "everything else sees API objects through `objects::Client`",
    },
    Ban {
        crates: Where::In(&["resources", "autoscaler", "cel"]),
        dependencies: &[
            "tokio",
            "tokio-util",
            "hyper",
            "hyper-util",
            "reqwest",
            "rustix",
            "libc",
            "tempfile",
        ],
        why: "a pure crate has no runtime, sockets or files: move the I/O to its caller",
    },
    Ban {
        crates: Where::In(&["storage"]),
        dependencies: &["k8s-openapi"],
        why: "storage knows no Kubernetes: it keeps bytes under keys",
    },
];

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let rows = tree.file(DOCUMENT).map(|document| rows(&document.text)).unwrap_or_default();
    packages.iter().flat_map(|package| check_package(package, &rows)).collect()
}

/// The rows of the table of crates.
fn rows(document: &str) -> Vec<Row<'_>> {
    let table = document.lines().skip_while(|line| cells(line).is_none_or(|cells| cells != HEAD));
    let rows = table.skip(1).map_while(cells).filter(|cells| !is_rule(cells));
    rows.filter_map(row).collect()
}

fn row(cells: Vec<&str>) -> Option<Row<'_>> {
    let [folder, _, may_use] = cells[..] else { return None };
    let may_use = may_use.split(',').map(str::trim).collect();
    Some(Row { folder: folder.trim_matches('`'), may_use })
}

fn check_package(package: &Package, rows: &[Row<'_>]) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let Some(row) = rows.iter().find(|row| row.folder == package.folder) else {
        let message = "unknown crate: say what it may use in the table of ARCHITECTURE.md";
        return vec![Finding::file(RULE, &manifest, message)];
    };
    let breaches = package.dependencies.iter().filter_map(|dependency| {
        let name = &package.name;
        let why = if dependency.ours { forbidden(name, row, dependency) } else { banned(name, dependency) };
        why.map(|why| {
            let kind = if dependency.dev { "the tests of " } else { "" };
            let message = format!("{kind}`{name}` must not use `{}`: {why}", dependency.name);
            Finding::file(RULE, &manifest, &message)
        })
    });
    breaches.collect()
}

fn forbidden(package: &str, row: &Row<'_>, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let is_listed = row.may_use.iter().any(|listed| *listed == name || ALL.contains(listed));
    let is_tests = || TESTS_MAY_USE.iter().any(|(tested, names)| *tested == package && names.contains(&name));
    if is_listed || (dependency.dev && is_tests()) {
        return None;
    }
    Some(
        "see the crates table of ARCHITECTURE.md; a trait in the crate that needs it is joined in `ebb`"
            .into(),
    )
}

fn banned(package: &str, dependency: &Dependency) -> Option<String> {
    let applies = |ban: &&Ban| match ban.crates {
        // Tests of a pure crate may read files.
        Where::In(crates) => crates.contains(&package) && !dependency.dev,
        // Tests of the whole run programs as users write them.
        Where::NotIn(crates) => !(crates.contains(&package) || dependency.dev && package == "ebb"),
    };
    let ban = BANS.iter().filter(applies).find(|ban| ban.dependencies.contains(&dependency.name.as_str()));
    ban.map(|ban| ban.why.to_owned())
}

#[cfg(test)]
mod tests;
