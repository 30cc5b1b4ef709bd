//! Names that say nothing: a thing lives in the crate and file whose concept it is.

use super::finding::Finding;
use super::tree::Tree;

const RULE: &str = "names";
const EMPTY: &[&str] =
    &["common", "core", "helper", "helpers", "manager", "managers", "misc", "types", "util", "utils"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().filter_map(|file| Some(Finding::file(RULE, &file.path, &complaint(&file.path)?))).collect()
}

fn complaint(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    if let Some(empty) = stem.split('/').find(|part| EMPTY.contains(part)) {
        return Some(format!(
            "`{empty}` names no concept: name what is inside, or move it to where it is used"
        ));
    }
    // A folder under `tests/` needs it, or Cargo would take it for a test of its own.
    let needed = stem.contains("/tests/");
    (stem.ends_with("/mod") && !needed)
        .then(|| "no `mod.rs`: a module `foo` is `foo.rs` beside `foo/`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_refused() {
        let check = |path: &str, refused: bool| assert_eq!(complaint(path).is_some(), refused, "{path}");
        check("crates/node/src/pod.rs", false);
        check("crates/node/src/utils.rs", true);
        check("crates/node/src/types/pod.rs", true);
        check("crates/common/src/lib.rs", true);
        check("crates/node/src/pod/mod.rs", true);
        check("crates/ebb/tests/platform/mod.rs", false);
        check("crates/node/src/score.rs", false);
    }
}
