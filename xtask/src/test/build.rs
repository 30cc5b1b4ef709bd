//! Builds every test binary once, and learns from Cargo's messages where they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Options;
use crate::workspace::{Workspace, cargo};

pub(super) struct Built {
    pub(super) tests: Vec<TestBinary>,
    programs: Vec<Program>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Tests beside the code.
    Unit,
    /// A file of a crate's `tests/`.
    Integration,
}

pub(super) struct TestBinary {
    pub(super) kind: Kind,
    pub(super) package: String,
    /// The crate for unit tests, the file for integration tests.
    pub(super) target: String,
    pub(super) path: PathBuf,
    /// Tests run in the folder of their package.
    pub(super) folder: PathBuf,
    /// Has a `main` of its own (`harness = false`), which takes no options and cannot list its tests.
    pub(super) own_main: bool,
}

/// A program of a package, which its integration tests find by `CARGO_BIN_EXE_<name>`.
struct Program {
    package: String,
    name: String,
    path: PathBuf,
}

impl TestBinary {
    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Unit => format!("{} (unit)", self.package),
            Kind::Integration => format!("{}/{}", self.package, self.target),
        }
    }
}

impl Built {
    pub(super) fn programs_of<'a>(&'a self, package: &'a str) -> impl Iterator<Item = (String, &'a Path)> {
        let own = self.programs.iter().filter(move |program| program.package == package);
        own.map(|program| (format!("CARGO_BIN_EXE_{}", program.name), program.path.as_path()))
    }
}

pub(super) fn test_binaries(workspace: &Workspace, options: &Options) -> Result<Built> {
    let mut command = cargo(&workspace.root);
    command.arg("test").args(options.cargo_arguments());
    command.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot run `cargo test`")?;
    ensure!(output.status.success(), "the tests do not compile; Cargo's errors are above");
    let messages = String::from_utf8(output.stdout).context("Cargo wrote what is not UTF-8")?;
    let mut built = from_messages(workspace, &messages)?;
    for test in built.tests.iter_mut().filter(|test| test.kind == Kind::Integration) {
        let manifest = test.folder.join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        test.own_main = has_own_main(&text, &test.target);
    }
    Ok(built)
}

/// Cargo knows which tests have no harness and tells nobody, so this reads the manifest's `[[test]]` sections.
fn has_own_main(manifest: &str, target: &str) -> bool {
    let sections = manifest.split("\n[").filter(|section| section.starts_with("[test]]"));
    let has = |section: &str, key: &str, value: &str| {
        section
            .lines()
            .filter_map(|line| line.split_once('='))
            .any(|(k, v)| k.trim() == key && v.trim() == value)
    };
    let mut own = sections.filter(|section| has(section, "name", &format!("{target:?}")));
    own.any(|section| has(section, "harness", "false"))
}

fn from_messages(workspace: &Workspace, messages: &str) -> Result<Built> {
    let mut built = Built { tests: Vec::new(), programs: Vec::new() };
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("Cargo wrote a message that is no JSON")?;
        let package = workspace.packages.iter().find(|package| message["package_id"] == package.id.as_str());
        let (Some(package), Some(path)) = (package, message["executable"].as_str()) else { continue };
        let has_kind =
            |kind: &str| message["target"]["kind"].as_array().is_some_and(|k| k.iter().any(|k| k == kind));
        let name =
            message["target"]["name"].as_str().context("Cargo built something without a name")?.to_owned();
        if message["profile"]["test"] == true {
            built.tests.push(TestBinary {
                kind: if has_kind("test") { Kind::Integration } else { Kind::Unit },
                package: package.name.clone(),
                target: name,
                path: path.into(),
                folder: workspace.root.join(&package.folder),
                own_main: false,
            });
        } else if has_kind("bin") {
            built.programs.push(Program { package: package.name.clone(), name, path: path.into() });
        }
    }
    // What is fast and pure first; the order does not change from run to run.
    built.tests.sort_by(|a, b| (a.kind, &a.package, &a.target).cmp(&(b.kind, &b.package, &b.target)));
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    #[test]
    fn messages_become_binaries_in_a_stable_order() {
        let package = |name: &str| Package {
            id: format!("{name} 0.1.0"),
            name: name.into(),
            version: "0.1.0".into(),
            folder: format!("crates/{name}"),
            has_doctests: false,
            dependencies: Vec::new(),
        };
        let workspace = Workspace {
            root: "/clone".into(),
            target_dir: "/target".into(),
            packages: ["ebb", "node"].map(package).into(),
        };
        let artifact = |package: &str, kind: &str, name: &str, test: bool| {
            serde_json::json!({
                "reason": "compiler-artifact", "package_id": format!("{package} 0.1.0"),
                "target": { "kind": [kind], "name": name }, "profile": { "test": test },
                "executable": format!("/target/{name}"),
            })
        };
        let messages = [
            artifact("ebb", "test", "demo", true),
            artifact("ebb", "bin", "ebb", false),
            artifact("node", "lib", "node", true),
            artifact("tokio", "lib", "tokio", true),
            serde_json::json!({ "reason": "build-finished", "success": true }),
        ]
        .map(|message| message.to_string())
        .join("\n");
        let built = from_messages(&workspace, &messages).unwrap();
        let names: Vec<_> = built.tests.iter().map(TestBinary::name).collect();
        assert_eq!(names, ["node (unit)", "ebb/demo"]);
        let programs: Vec<_> = built.programs_of("ebb").collect();
        assert_eq!(programs, [("CARGO_BIN_EXE_ebb".into(), Path::new("/target/ebb"))]);
        assert_eq!(built.programs_of("node").count(), 0);
    }

    #[test]
    fn a_test_without_harness_is_known_by_its_section() {
        let manifest = "[package]\nname = \"node\"\n\n[[test]]\nname = \"runtime\"\nharness = false\n\n\
            [[test]]\nname = \"pods\"\n\n[[bench]]\nname = \"starts\"\nharness = false\n";
        let own: Vec<_> =
            ["runtime", "pods", "starts"].iter().filter(|name| has_own_main(manifest, name)).collect();
        assert_eq!(own, [&"runtime"]);
    }
}
