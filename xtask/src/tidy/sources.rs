//! Rules for the text of Rust files.

use super::finding::Finding;
use super::rust_text::{code_only, lines_with_word};
use super::tree::{File, Tree};

/// A file this long holds a second concept; look for its name.
const LINES_MAX: usize = 500;
/// Longer files, each with the reason why.
const LONG: &[(&str, &str)] = &[];
/// The one crate that talks to the kernel in ways that Rust cannot check.
const UNSAFE_ALLOWED: &str = "crates/node/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        tree.rust().flat_map(|file| [no_unsafe(file), length(file, LONG)].concat()).collect();
    found.extend(tree.rust().filter(|file| is_root(file, tree)).flat_map(introduction));
    found.extend(stale_reasons(tree, LONG));
    found
}

fn no_unsafe(file: &File) -> Vec<Finding> {
    if file.path.starts_with(UNSAFE_ALLOWED) {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let finding = |line| Finding::line("unsafe", &file.path, line, "only crates/node may: find a safe way");
    lines_with_word(&code, "unsafe").map(finding).collect()
}

fn length(file: &File, long: &[(&str, &str)]) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if lines <= LINES_MAX || long.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let message = format!("{lines} lines, {LINES_MAX} at most: move the second concept to a file of its own");
    vec![Finding::file("length", &file.path, &message)]
}

fn stale_reasons(tree: &Tree, long: &[(&str, &str)]) -> Vec<Finding> {
    let is_long = |path: &str| tree.file(path).is_some_and(|file| file.text.lines().count() > LINES_MAX);
    let stale = long.iter().filter(|(path, _)| !is_long(path));
    let message = "not long any more: take it off the list in xtask/src/tidy/sources.rs";
    stale.map(|(path, _)| Finding::file("length", path, message)).collect()
}

/// The file a reader opens first: the library's, else the program's.
fn is_root(file: &File, tree: &Tree) -> bool {
    let program_alone = |folder: &str| tree.file(&format!("{folder}src/lib.rs")).is_none();
    file.path.ends_with("/src/lib.rs") || file.path.strip_suffix("src/main.rs").is_some_and(program_alone)
}

fn introduction(file: &File) -> Vec<Finding> {
    let message = "begin with `//!`: what the crate is, what it must never know, its flow as a picture";
    let missing = !file.text.starts_with("//!");
    missing.then(|| Finding::line("introduction", &file.path, 1, message)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(tree: &Tree) -> Vec<String> {
        check(tree)
            .iter()
            .map(Finding::to_string)
            .map(|f| f.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn what_rust_cannot_check_stays_in_node() {
        let text = "//! Says unsafe.\nfn f() {\n    unsafe { g() }\n}\n#![deny(unsafe_code)]\n";
        let tree = Tree::of(&[("crates/node/src/lib.rs", text), ("crates/cli/src/lib.rs", text)]);
        assert_eq!(rules(&tree), ["crates/cli/src/lib.rs:3: unsafe:"]);
    }

    #[test]
    fn long_files_need_a_reason_and_reasons_a_long_file() {
        let text = "//\n".repeat(LINES_MAX + 1);
        let tree = Tree::of(&[("crates/node/src/pod.rs", &text), ("crates/node/src/short.rs", "//\n")]);
        assert_eq!(rules(&tree), ["crates/node/src/pod.rs: length:"]);
        let pod = [("crates/node/src/pod.rs", "a table")];
        assert_eq!(length(&tree.files[0], &pod), []);
        assert_eq!(stale_reasons(&tree, &pod), []);
        assert_eq!(stale_reasons(&tree, &[("crates/node/src/short.rs", "once")]).len(), 1);
    }

    #[test]
    fn a_crate_introduces_itself() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "mod b;\n"),
            ("crates/a/src/main.rs", "fn main() {}\n"),
            ("samples/hello/src/main.rs", "fn main() {}\n"),
            ("crates/b/src/lib.rs", "//! B.\n"),
        ]);
        let expect = ["crates/a/src/lib.rs:1: introduction:", "samples/hello/src/main.rs:1: introduction:"];
        assert_eq!(rules(&tree), expect);
    }
}
