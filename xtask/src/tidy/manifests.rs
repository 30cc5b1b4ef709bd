//! Every Cargo.toml takes its version, lints and dependencies from the workspace's.

use super::finding::Finding;
use super::tree::{File, Tree};
use crate::workspace::Package;

const RULE: &str = "manifest";

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let manifests =
        packages.iter().filter_map(|package| tree.file(&format!("{}/Cargo.toml", package.folder)));
    manifests.flat_map(check_manifest).collect()
}

fn check_manifest(manifest: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut section = "";
    let mut inherited = Vec::new();
    for (index, line) in manifest.text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if line.replace(' ', "").contains("workspace=true") {
            let field = line.split(['.', ' ', '=']).next().unwrap_or_default();
            inherited.push(format!("{section}.{field}"));
        } else if section.ends_with("dependencies") && line.contains('=') && !line.starts_with('#') {
            let message =
                "name the version once, in the root Cargo.toml, and write `NAME.workspace = true` here";
            found.push(Finding::line(RULE, &manifest.path, index + 1, message));
        }
    }
    for field in
        ["package.version", "package.edition", "package.rust-version", "package.license", "lints.workspace"]
    {
        if !inherited.iter().any(|inherited| inherited == field) {
            let message = format!("`{field}` must come from the workspace (`workspace = true`)");
            found.push(Finding::file(RULE, &manifest.path, &message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"node\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n\n[lints]\nworkspace = true\n\n\
        [dependencies]\nlibc.workspace = true\ntokio = { workspace = true, features = [\"rt\"] }\n";

    #[test]
    fn everything_comes_from_the_workspace() {
        let check = |text: &str, expect: &[&str]| {
            let file = File { path: "Cargo.toml".into(), text: text.into() };
            let found: Vec<_> = check_manifest(&file).iter().map(Finding::to_string).collect();
            assert_eq!(found.len(), expect.len(), "{found:?}");
            assert!(found.iter().zip(expect).all(|(found, expect)| found.contains(expect)), "{found:?}");
        };
        check(GOOD, &[]);
        check(&GOOD.replace("libc.workspace = true", "libc = \"0.2\""), &["Cargo.toml:12: "]);
        check(&GOOD.replace("[lints]\nworkspace = true", ""), &["lints.workspace"]);
        check(
            &GOOD.replace("version.workspace", "version = \"1.0.0\" #"),
            &["package.version", "rust-version"],
        );
    }
}
