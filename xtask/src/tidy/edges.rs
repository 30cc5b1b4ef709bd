//! Which crate may use which: the table of ARCHITECTURE.md, held against `cargo metadata`.

use super::finding::Finding;
use crate::workspace::{Dependency, Package};

const RULE: &str = "edges";

struct Crate {
    name: &'static str,
    may_use: &'static [&'static str],
    /// What its tests may use beside that.
    tests_may_use: &'static [&'static str],
}

/// The composition root and what drives the whole.
const ALL: &[&str] = &["*"];

const CRATES: &[Crate] = &[
    Crate { name: "cel", may_use: &[], tests_may_use: &[] },
    Crate { name: "resources", may_use: &["cel"], tests_may_use: &[] },
    Crate { name: "images", may_use: &[], tests_may_use: &[] },
    Crate { name: "storage", may_use: &[], tests_may_use: &[] },
    Crate { name: "autoscaler", may_use: &["resources"], tests_may_use: &[] },
    // What a client may rely on, and what reconcilers do, is tested against the real API server.
    Crate { name: "objects", may_use: &["resources"], tests_may_use: &["apiserver", "storage"] },
    Crate { name: "apiserver", may_use: &["storage", "resources", "objects"], tests_may_use: &[] },
    Crate {
        name: "controllers",
        may_use: &["resources", "autoscaler", "objects"],
        tests_may_use: &["apiserver", "storage"],
    },
    Crate { name: "node", may_use: &["resources", "objects", "images"], tests_may_use: &[] },
    Crate { name: "dataplane", may_use: &["resources", "autoscaler", "objects"], tests_may_use: &[] },
    Crate { name: "cli", may_use: &["resources"], tests_may_use: &[] },
    Crate { name: "ebb", may_use: ALL, tests_may_use: &[] },
    Crate { name: "bench", may_use: ALL, tests_may_use: &[] },
    Crate { name: "xtask", may_use: &[], tests_may_use: &[] },
];

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

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    // Samples stand for users' programs: they use nothing of ours.
    let sample = Crate { name: "", may_use: &[], tests_may_use: &[] };
    let known = CRATES.iter().find(|known| known.name == package.name);
    let Some(known) = known.or(package.folder.starts_with("samples/").then_some(&sample)) else {
        let message = "unknown crate: say what it may use in ARCHITECTURE.md and xtask/src/tidy/edges.rs";
        return vec![Finding::file(RULE, &manifest, message)];
    };
    let breaches = package.dependencies.iter().filter_map(|dependency| {
        let why =
            if dependency.ours { forbidden(known, dependency) } else { banned(&package.name, dependency) };
        why.map(|why| {
            let kind = if dependency.dev { "the tests of " } else { "" };
            let message = format!("{kind}`{}` must not use `{}`: {why}", package.name, dependency.name);
            Finding::file(RULE, &manifest, &message)
        })
    });
    breaches.collect()
}

fn forbidden(known: &Crate, dependency: &Dependency) -> Option<String> {
    let listed = |names: &[&str]| names == ALL || names.contains(&dependency.name.as_str());
    if listed(known.may_use) || (dependency.dev && listed(known.tests_may_use)) {
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
mod tests {
    use super::*;

    fn check_one(folder: &str, name: &str, dependency: &str, ours: bool, dev: bool) -> usize {
        let dependency = Dependency { name: dependency.into(), ours, dev };
        let package = Package {
            id: name.into(),
            name: name.into(),
            version: "0.1.0".into(),
            folder: folder.into(),
            has_doctests: false,
            dependencies: vec![dependency],
        };
        check(&[package]).len()
    }

    #[test]
    fn edges_are_those_of_the_table() {
        let check = |name: &str, dependency: &str, dev: bool, expect: usize| {
            let found = check_one(&format!("crates/{name}"), name, dependency, true, dev);
            assert_eq!(found, expect, "{name} → {dependency}");
        };
        check("controllers", "objects", false, 0);
        check("controllers", "apiserver", false, 1);
        check("controllers", "apiserver", true, 0);
        check("objects", "apiserver", false, 1);
        check("objects", "apiserver", true, 0);
        check("node", "images", false, 0);
        check("cli", "images", false, 1);
        check("storage", "resources", true, 1);
        check("ebb", "node", false, 0);
        check("stranger", "node", false, 1);
    }

    #[test]
    fn some_dependencies_stay_where_they_belong() {
        let check = |name: &str, dependency: &str, dev: bool, expect: usize| {
            let found = check_one(&format!("crates/{name}"), name, dependency, false, dev);
            assert_eq!(found, expect, "{name} → {dependency}");
        };
        check("objects", "kube", false, 0);
        check("controllers", "kube", true, 1);
        check("ebb", "kube", false, 1);
        check("ebb", "kube", true, 0);
        check("resources", "tokio", false, 1);
        check("resources", "tokio", true, 0);
        check("resources", "serde", false, 0);
    }

    #[test]
    fn samples_are_free_of_us() {
        assert_eq!(check_one("samples/hello", "hello", "hyper", false, false), 0);
        assert_eq!(check_one("samples/hello", "hello", "resources", true, false), 1);
    }
}
