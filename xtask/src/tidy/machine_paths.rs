//! No file names a path of the machine it was written on.

use super::finding::Finding;
use super::tree::Tree;

/// First folders of the places where people and machines keep clones; none means anything to a user.
const PLACES: &[&str] = &["Users", "farm", "work"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(place) = PLACES.iter().find(|place| names(line, place)) {
                let message =
                    format!("`/{place}/…` is a path of one machine: derive it, or take it as an argument");
                found.push(Finding::line("machine path", &file.path, index + 1, &message));
            }
        }
    }
    found
}

/// Whether an absolute path in `line` begins with that folder.
fn names(line: &str, place: &str) -> bool {
    let begins = format!("/{place}/");
    line.match_indices(&begins).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/~}$*".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_of_such_places_count() {
        let check = |line: &str, expect: bool| {
            let line = line.replace('@', PLACES[1]);
            assert_eq!(check(&Tree::of(&[("README.md", &line)])).len(), usize::from(expect), "{line}");
        };
        check("see /@/clone", true);
        check("path = \"/@/clone\"", true);
        check("see crates/@/src", false);
        check("https://example.org/@/x", false);
        check("/var/@/x and /@land/", false);
        check("$HOME/@/x", false);
    }
}
