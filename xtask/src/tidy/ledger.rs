//! docs/compatibility.md, the ledger of what works: each row that claims something names the test that shows it.
//!
//! ```text
//!  | What               | State   | Shown by                                    | Note |
//!  | `spec.traffic[]`   | done    | `controllers::serving::route::splits`       |      |
//!  | `Service` v1       | partial | `apiserver::rest::creates`, `ebb::up::runs` | what is missing |
//!  | `DomainMapping`    | refused |                                             | how it is refused |
//!  | user CRDs          | absent  |                                             |      |
//! ```

use super::finding::Finding;
use super::table;
use super::tree::{File, Tree};
use crate::workspace::Package;

const RULE: &str = "ledger";
const LEDGER: &str = "docs/compatibility.md";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Done,
    Partial,
    Refused,
    Absent,
}

struct Row<'a> {
    what: &'a str,
    state: State,
    /// `crate::path::test`
    tests: Vec<&'a str>,
    note: &'a str,
}

pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let Some(ledger) = tree.file(LEDGER) else {
        return vec![Finding::file(RULE, LEDGER, "is missing: it says what works and which test shows it")];
    };
    let mut found = Vec::new();
    let mut section = Vec::new();
    for (index, line) in ledger.text.lines().enumerate() {
        if line.starts_with('#') {
            section.clear();
        }
        let Some(cells) = cells(line) else { continue };
        let mut complain = |message: String| found.push(Finding::line(RULE, LEDGER, index + 1, &message));
        match parse(&cells) {
            Err(message) => complain(message),
            Ok(row) => {
                complaints(&row, packages, tree).into_iter().for_each(&mut complain);
                if section.contains(&row.what) {
                    complain(format!("`{}` has a row in this section already", row.what));
                }
                section.push(row.what);
            }
        }
    }
    found
}

/// The cells of a row; nothing for other text, a table's head and the line under it.
fn cells(line: &str) -> Option<Vec<&str>> {
    let cells = table::cells(line)?;
    let head = cells.get(1) == Some(&"State") || table::is_rule(&cells);
    (!head).then_some(cells)
}

fn parse<'a>(cells: &[&'a str]) -> Result<Row<'a>, String> {
    let [what, state, tests, note] = cells else {
        return Err(format!("{} columns; a row is: what, state, shown by, note", cells.len()));
    };
    let state = match *state {
        "done" => State::Done,
        "partial" => State::Partial,
        "refused" => State::Refused,
        "absent" => State::Absent,
        other => return Err(format!("`{other}` is no state: done, partial, refused or absent")),
    };
    let tests = tests.split(',').map(|test| test.trim().trim_matches('`')).filter(|test| !test.is_empty());
    Ok(Row { what, state, tests: tests.collect(), note })
}

fn complaints(row: &Row<'_>, packages: &[Package], tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    if matches!(row.state, State::Done | State::Partial) && row.tests.is_empty() {
        complaints.push("a claim without a test: name the test that shows it, or call it absent".into());
    }
    if matches!(row.state, State::Partial | State::Refused) && row.note.is_empty() {
        complaints.push("say in the note what is missing, or how it is refused".into());
    }
    if row.state == State::Absent && !row.tests.is_empty() {
        complaints.push("what a test shows is not absent".into());
    }
    complaints.extend(row.tests.iter().filter_map(|test| unknown(test, packages, tree)));
    complaints
}

/// Why there is no such test.
fn unknown(test: &str, packages: &[Package], tree: &Tree) -> Option<String> {
    let parts: Vec<&str> = test.split("::").collect();
    let [package, modules @ .., name] = parts.as_slice() else {
        return Some(format!("`{test}` is no test: write crate::path::test"));
    };
    let Some(package) = packages.iter().find(|known| known.name == *package) else {
        return Some(format!("`{test}`: there is no crate `{package}`"));
    };
    let folder = format!("{}/", package.folder);
    let mut files = tree.rust().filter(|file| file.path.starts_with(&folder));
    let exists = files.any(|file| has_modules(file, &folder, modules) && has_test(&file.text, name))
        || is_listed(tree, &folder, modules, name);
    (!exists)
        .then(|| format!("`{test}`: no such test in {folder}: correct its name, or the state of the row"))
}

/// Whether each module of a test's path is a part of the file's path, or a module written inside the file.
fn has_modules(file: &File, folder: &str, modules: &[&str]) -> bool {
    let path = file.path.strip_prefix(folder).and_then(|path| path.strip_suffix(".rs")).unwrap_or_default();
    let inside = |module: &str| file.text.lines().any(|line| line.trim() == format!("mod {module} {{"));
    modules.iter().all(|module| path.split('/').any(|part| part == *module) || inside(module))
}

/// Whether a test binary with a `main` of its own has the test in its list: the name that it prints, or an entry of a
/// table that a macro makes such names of.
fn is_listed(tree: &Tree, folder: &str, modules: &[&str], name: &str) -> bool {
    let Some(module) = modules.last() else { return false };
    let (suites, path) = (format!("{folder}tests/"), format!("{module}::{name}"));
    let is_entry = |line: &str| line.trim().strip_prefix(&*path).is_some_and(|rest| rest.starts_with(','));
    let lists = |text: &str| text.contains(&format!("\"{path}\"")) || text.lines().any(is_entry);
    let files = || tree.rust().filter(|file| file.path.starts_with(&suites));
    let has_function = |file: &File| file.text.lines().any(|line| is_function(line.trim(), name));
    files().any(|file| lists(&file.text))
        && files().any(|file| has_modules(file, folder, modules) && has_function(file))
}

/// Whether the line begins the function of that name.
fn is_function(line: &str, name: &str) -> bool {
    let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = line.strip_prefix("fn ").and_then(|line| line.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with(['(', '<']))
}

/// Whether the file has a function of that name under an attribute that makes it a test.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let functions = (0..lines.len()).filter(|index| is_function(lines[*index], name));
    let mut attributes = functions.map(|index| {
        let above = lines[..index].iter().rev();
        above.take_while(|line| line.starts_with("#[") || line.starts_with("//"))
    });
    attributes.any(|mut above| above.any(|line| line.starts_with("#[") && line.contains("test")))
}

#[cfg(test)]
mod tests;
