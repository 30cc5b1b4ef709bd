//! What Cargo says about the tree: packages, their targets and their direct dependencies.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    pub(crate) packages: Vec<Package>,
}

pub(crate) struct Package {
    /// Cargo's own identifier, the key of its JSON messages.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Folder of the manifest, relative to the root: `crates/node`.
    pub(crate) folder: String,
    /// Has a library whose documentation may hold tests.
    pub(crate) has_doctests: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only its tests use it.
    pub(crate) dev: bool,
    /// A member of this workspace.
    pub(crate) ours: bool,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = xtask.parent().context("xtask lies in a folder of the workspace")?;
        let output = cargo(root)
            .args(["metadata", "--format-version=1", "--no-deps"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run `cargo metadata`")?;
        ensure!(output.status.success(), "`cargo metadata` failed: a Cargo.toml of the workspace is broken");
        Self::from_metadata(
            &serde_json::from_slice(&output.stdout).context("`cargo metadata` wrote bad JSON")?,
        )
    }

    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let root = PathBuf::from(text(metadata, "workspace_root")?);
        let packages =
            list(metadata, "packages").map(|p| Package::from_metadata(p, &root)).collect::<Result<_>>()?;
        Ok(Self { target_dir: text(metadata, "target_directory")?.into(), root, packages })
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Result<Self> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        Ok(Self {
            id: text(package, "id")?.to_owned(),
            name: text(package, "name")?.to_owned(),
            version: text(package, "version")?.to_owned(),
            folder: folder.context("a member lies outside the workspace")?.to_string_lossy().into_owned(),
            has_doctests: list(package, "targets").any(|target| target["doctest"] == true),
            dependencies: list(package, "dependencies")
                .map(Dependency::from_metadata)
                .collect::<Result<_>>()?,
        })
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Result<Self> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            dev: dependency["kind"] == "dev",
            ours: dependency["path"].is_string(),
        })
    }
}

/// Cargo, run in `root`, without what the Cargo that started us put into our environment: build scripts that
/// look at those variables would build again each time a developer changes between `cargo` and `cargo xtask`.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let inherited = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|p| name.starts_with(p))
        });
        if inherited {
            command.env_remove(name);
        }
    }
    command
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().with_context(|| format!("`cargo metadata` gave no `{field}`"))
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_becomes_folders_and_edges() {
        let workspace = Workspace::from_metadata(&json!({
            "workspace_root": "/clone", "target_directory": "/cache/target",
            "packages": [{
                "id": "path+file:///clone/crates/node#0.1.0", "name": "node", "version": "0.1.0",
                "manifest_path": "/clone/crates/node/Cargo.toml",
                "targets": [{ "kind": ["lib"], "doctest": true }],
                "dependencies": [
                    { "name": "objects", "kind": null, "path": "/clone/crates/objects" },
                    { "name": "proptest", "kind": "dev" },
                ],
            }],
        }))
        .unwrap();
        let node = workspace.package("node").unwrap();
        assert_eq!((node.folder.as_str(), node.has_doctests), ("crates/node", true));
        let edges: Vec<_> = node.dependencies.iter().map(|d| (d.name.as_str(), d.ours, d.dev)).collect();
        assert_eq!(edges, [("objects", true, false), ("proptest", false, true)]);
    }
}
