use super::*;

const HEAD: &str = "# Ledger\n\n## Kinds\n\n| What | State | Shown by | Note |\n|---|:---|---|---|\n";

fn check_rows(rows: &str) -> Vec<String> {
    let package = Package {
        id: "node".into(),
        name: "node".into(),
        version: "0.1.0".into(),
        folder: "crates/node".into(),
        has_doctests: false,
        dependencies: Vec::new(),
    };
    let source = "fn not_a_test() {}\n\n#[cfg(test)]\nmod tests {\n    #[tokio::test(start_paused = true)]\n\
        \x20   // Why.\n    async fn wakes() {}\n\n    #[test]\n    fn sleeps() {}\n}\n";
    let ledger = format!("{HEAD}{rows}");
    let tree = Tree::of(&[
        (LEDGER, &ledger),
        ("crates/node/src/pod.rs", source),
        ("crates/node/tests/up.rs", source),
        ("crates/node/tests/suite/main.rs", "const TESTS: &[&str] = &[\"naps::dozes\", \"naps::gone\"];\n"),
        (
            "crates/node/tests/suite/naps.rs",
            "pub(crate) async fn dozes(image: &Image) {}\nasync fn nods() {}\nfn unlisted() {}\n",
        ),
        (
            "crates/node/tests/tables.rs",
            "const CASES: &[Case] = cases![\n    naps::nods, \"now and then\",\n];\n",
        ),
    ]);
    check(&[package], &tree).iter().map(Finding::to_string).collect()
}

fn accepts(row: &str) {
    assert_eq!(check_rows(row), [""; 0], "{row}");
}

fn refuses(row: &str, why: &str) {
    let found = check_rows(row);
    assert!(found.len() == 1 && found[0].contains(why), "{row}: {found:?}");
    assert!(found[0].starts_with("docs/compatibility.md:7: ledger: "), "{found:?}");
}

#[test]
fn claims_with_their_tests_are_accepted() {
    accepts("| pods | done | `node::pod::wakes` | |\n");
    accepts("| pods | done | `node::pod::tests::wakes`, `node::up::sleeps` | |\n");
    accepts("| pods | partial | `node::wakes` | no volumes |\n");
    // In the list of a test binary with a `main` of its own.
    accepts("| pods | done | `node::suite::naps::dozes`, `node::suite::naps::nods` | |\n");
    accepts("| pods | refused | | 404 with a Status |\n");
    accepts("| pods | absent | | |\n\n## Others\n\n| pods | absent | | |\n");
}

#[test]
fn claims_without_a_test_are_refused() {
    refuses("| pods | done | | |\n", "a claim without a test");
    refuses("| pods | done | `node::pod::dreams` | |\n", "no such test in crates/node/");
    refuses("| pods | done | `node::pod::not_a_test` | |\n", "no such test");
    refuses("| pods | done | `node::volumes::wakes` | |\n", "no such test");
    refuses("| pods | done | `node::suite::naps::unlisted` | |\n", "no such test");
    refuses("| pods | done | `node::suite::naps::gone` | |\n", "no such test");
    refuses("| pods | done | `mode::pod::wakes` | |\n", "there is no crate `mode`");
    refuses("| pods | done | `wakes` | |\n", "write crate::path::test");
}

#[test]
fn rows_say_what_they_mean() {
    refuses("| pods | mostly | | |\n", "`mostly` is no state");
    refuses("| pods | done |\n", "2 columns");
    refuses("| pods | partial | `node::wakes` | |\n", "what is missing");
    refuses("| pods | refused | | |\n", "how it is refused");
    refuses("| pods | absent | `node::wakes` | |\n", "not absent");
}

#[test]
fn a_thing_has_one_row_in_its_section() {
    let found = check_rows("| pods | absent | | |\n| pods | absent | | |\n");
    assert!(found.len() == 1 && found[0].contains("has a row in this section already"), "{found:?}");
}
