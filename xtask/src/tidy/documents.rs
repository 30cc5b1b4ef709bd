//! What the documents point at exists: paths of the tree between backticks, and links to files.

use super::finding::Finding;
use super::tree::{File, Tree};

const RULE: &str = "documents";
/// Only what begins like this is taken for a path of the tree.
const PLACES: &[&str] = &[".ci/", "bench/", "config/", "crates/", "docs/", "fuzz/", "samples/", "xtask/"];
/// Documents the project promises its readers.
const PROMISED: &[&str] = &["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"];
/// Speaks of what was.
const HISTORY: &str = "CHANGELOG.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let missing = PROMISED.iter().filter(|path| tree.file(path).is_none());
    let missing = missing.map(|path| Finding::file(RULE, path, "is missing: write it"));
    let documents = tree.files.iter().filter(|file| file.path.ends_with(".md") && file.path != HISTORY);
    missing.chain(documents.flat_map(|document| check_document(document, tree))).collect()
}

fn check_document(document: &File, tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        let quoted = quoted_paths(line).into_iter().map(str::to_owned);
        let linked = links(line).into_iter().map(|link| beside(&document.path, link));
        for path in quoted.chain(linked).filter(|path| !tree.has(path)) {
            let message = format!("there is no `{path}`: correct the document, or the name of the file");
            found.push(Finding::line(RULE, &document.path, index + 1, &message));
        }
    }
    found
}

fn quoted_paths(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| PLACES.iter().any(|place| text.starts_with(place)) && is_plain(text);
    // `xtask/src/tidy.rs:12` points into a file.
    quoted.filter(is_path).map(|text| text.split(':').next().unwrap_or(text)).collect()
}

/// Without placeholders, patterns or arguments.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || "*<>{}…$".contains(c))
}

/// Targets of `[text](target)` that are files of ours.
fn links(line: &str) -> Vec<&str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://") && is_plain(file)).collect()
}

/// A link's target as a path from the root.
fn beside(document: &str, link: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_links_lead_somewhere() {
        let check = |document: &str, text: &str, expect: usize| {
            let tree = Tree::of(&[("crates/node/src/lib.rs", ""), ("docs/a.md", ""), ("LICENSE", "")]);
            let file = File { path: document.into(), text: text.into() };
            assert_eq!(check_document(&file, &tree).len(), expect, "{text}");
        };
        check("README.md", "`crates/node`, `crates/node/src/lib.rs:3` and `docs/`", 0);
        check("README.md", "`crates/nod` and `docs/b.md`", 2);
        check("README.md", "`crates/*/src`, `cargo test -p x`, `samples/<name>`, `gateway/route`", 0);
        check("README.md", "[a](docs/a.md#part) [b](https://example.org/b) [c](#here)", 0);
        check("docs/a.md", "[licence](../LICENSE) [a](a.md)", 0);
        check("docs/a.md", "[licence](LICENSE)", 1);
    }
}
