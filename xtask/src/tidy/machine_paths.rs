//! No file names a path of the machine it was written on.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;

/// Where people's homes are.
const HOMES: &[&str] = &["/Users/", "/home/"];
/// The user of images in examples and tests, who has a home on no machine.
const EXAMPLE: &str = "app";

/// `root` is where this clone lies.
pub(super) fn check(root: &Path, tree: &Tree) -> Vec<Finding> {
    // A folder of the root, as `/app`, is as good a name in an example.
    let clone = root.to_str().filter(|root| root.matches('/').count() > 1);
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            let home = || HOMES.iter().copied().find(|homes| names_home(line, homes));
            if let Some(place) = clone.filter(|clone| names(line, clone)).or_else(home) {
                let message =
                    format!("`{place}…` is a path of one machine: derive it, or take it as an argument");
                found.push(Finding::line("machine path", &file.path, index + 1, &message));
            }
        }
    }
    found
}

fn names(line: &str, path: &str) -> bool {
    after(line, path).any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "._-".contains(c)))
}

fn names_home(line: &str, homes: &str) -> bool {
    after(line, homes).any(|rest| rest.starts_with(char::is_alphanumeric) && !rest.starts_with(EXAMPLE))
}

/// What follows each absolute path in `line` that begins so.
fn after<'a>(line: &'a str, path: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = line.match_indices(path).map(move |(at, path)| (&line[..at], &line[at + path.len()..]));
    let is_absolute = |before: &str| {
        let last = before.chars().next_back();
        last.is_none_or(|c| !(c.is_alphanumeric() || "._-/~}$*".contains(c)))
    };
    parts.filter(move |(before, _)| is_absolute(before)).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_of_one_machine_count() {
        let check = |line: &str, expect: bool| {
            // Not as they are, since this file is checked too.
            let line = line.replace('@', "home").replace('%', "Users");
            let found = check(Path::new("/clones/ebb"), &Tree::of(&[("README.md", &line)]));
            assert_eq!(found.len(), usize::from(expect), "{line}");
        };
        check("see /@/me/clone", true);
        check("path = \"/%/me\"", true);
        check("see /clones/ebb/README.md, or /clones/ebb", true);
        check("see /clones/ebb-2 and /clones", false);
        check("see crates/@/src", false);
        check("https://example.org/@/x", false);
        check("/var/@/x, /@land/x and /@/<name>", false);
        check("$HOME/@/x", false);
        check("app:x:1000:1001:App:/@/app:/bin/sh", false);
    }

    #[test]
    fn a_clone_right_below_the_root_names_no_machine() {
        let tree = Tree::of(&[("README.md", "`/app/server`")]);
        assert!(check(Path::new("/app"), &tree).is_empty());
    }
}
