//! docs/dependencies.md has one row for each dependency of the workspace, and none for what is gone.

use super::finding::Finding;
use super::tree::Tree;

const RULE: &str = "dependencies";
const MANIFEST: &str = "Cargo.toml";
const LIST: &str = "docs/dependencies.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(manifest) = tree.file(MANIFEST) else { return Vec::new() };
    let used = used(&manifest.text);
    let explained = tree.file(LIST).map(|list| explained(&list.text)).unwrap_or_default();
    let unexplained = used.iter().filter(|(_, name)| !explained.iter().any(|(_, known)| known == name)).map(
        |(line, name)| {
            let message = format!("say in {LIST} what `{name}` is for, why this one, and its licence");
            Finding::line(RULE, MANIFEST, *line, &message)
        },
    );
    let gone = explained.iter().filter(|(_, name)| !used.iter().any(|(_, known)| known == name)).map(
        |(line, name)| {
            let message = format!("`{name}` is no dependency of the workspace: take its row out");
            Finding::line(RULE, LIST, *line, &message)
        },
    );
    unexplained.chain(gone).collect()
}

/// Names in `[workspace.dependencies]` that are not crates of our own.
fn used(manifest: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut names = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.trim() == "[workspace.dependencies]";
            continue;
        }
        let entry = line.split_once('=').filter(|_| inside && !line.starts_with('#'));
        if let Some((name, _)) = entry.filter(|(_, value)| !value.contains("path =")) {
            names.push((index + 1, name.trim().to_owned()));
        }
    }
    names
}

/// Names in the first column of the tables: `` | `serde` | … ``.
fn explained(list: &str) -> Vec<(usize, String)> {
    let rows = list.lines().enumerate();
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    rows.filter_map(|(index, line)| Some((index + 1, name(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_and_manifest_agree() {
        let manifest = "[workspace.dependencies]\nnode = { path = \"crates/node\" }\nserde = \"1\"\ntar = \"0.4\"\n\
            # a = 1\n\n[profile.dev]\ndebug = false\n";
        let list = "# Dependencies\n\n| crate | for |\n|---|---|\n| `serde` | JSON |\n| `sled` | nothing |\n";
        let found = check(&Tree::of(&[(MANIFEST, manifest), (LIST, list)]));
        let found: Vec<_> = found.iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("Cargo.toml:4: dependencies: say"), "{found:?}");
        assert!(found[1].starts_with("docs/dependencies.md:6: dependencies: `sled`"), "{found:?}");
    }
}
