//! What is wrong with a Knative object, in Knative's words.
//!
//! Upstream: pkg, `apis/field_error.go`. A message has all the paths it holds for; messages are sorted, so that the
//! same object always gets the same text.

use std::{collections::BTreeMap, fmt};

use super::path::Path;
use crate::COMPLAINTS_MAX;

/// Errors and warnings, as they are found.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnativeErrors {
    errors: Messages,
    warnings: Messages,
}

/// Messages with their details, each with the paths that it holds for; of very many paths only the first.
#[derive(Clone, Debug, Default)]
struct Messages {
    all: BTreeMap<(String, String), Vec<String>>,
    kept: usize,
    left_out: usize,
}

impl KnativeErrors {
    /// Whether nothing is wrong; warnings do not count.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.all.is_empty()
    }

    /// The warnings, one text each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.all.iter().map(|(message, paths)| text(message, paths)).collect()
    }

    /// A message of its own for these paths, with a line of details that may be empty.
    pub(crate) fn add(&mut self, message: impl Into<String>, paths: &[Path<'_>], details: impl Into<String>) {
        self.errors.put(message.into(), paths, details.into());
    }

    /// As [`KnativeErrors::add`], but the object is taken all the same.
    pub(crate) fn warn(
        &mut self,
        message: impl Into<String>,
        paths: &[Path<'_>],
        details: impl Into<String>,
    ) {
        self.warnings.put(message.into(), paths, details.into());
    }

    pub(crate) fn missing(&mut self, path: Path<'_>) {
        self.add("missing field(s)", &[path], "");
    }

    pub(crate) fn disallowed(&mut self, path: Path<'_>) {
        self.add("must not set the field(s)", &[path], "");
    }

    pub(crate) fn missing_one_of(&mut self, paths: &[Path<'_>]) {
        self.add("expected exactly one, got neither", paths, "");
    }

    pub(crate) fn multiple_one_of(&mut self, paths: &[Path<'_>]) {
        self.add("expected exactly one, got both", paths, "");
    }

    pub(crate) fn invalid(&mut self, value: impl fmt::Display, path: Path<'_>) {
        self.add(format!("invalid value: {value}"), &[path], "");
    }

    pub(crate) fn invalid_because(
        &mut self,
        value: impl fmt::Display,
        path: Path<'_>,
        details: impl Into<String>,
    ) {
        self.add(format!("invalid value: {value}"), &[path], details);
    }

    pub(crate) fn invalid_key(&mut self, key: &str, path: Path<'_>, details: impl Into<String>) {
        self.add(format!("invalid key name {key:?}"), &[path], details);
    }

    pub(crate) fn out_of_bounds(
        &mut self,
        value: impl fmt::Display,
        low: impl fmt::Display,
        high: impl fmt::Display,
        path: Path<'_>,
    ) {
        self.add(format!("expected {low} <= {value} <= {high}"), &[path], "");
    }
}

impl Messages {
    fn put(&mut self, message: String, paths: &[Path<'_>], details: String) {
        if self.kept >= COMPLAINTS_MAX {
            self.left_out += paths.len();
            return;
        }
        let known = self.all.entry((message, details)).or_default();
        for path in paths.iter().map(ToString::to_string) {
            if let Err(at) = known.binary_search(&path) {
                known.insert(at, path);
                self.kept += 1;
            }
        }
    }
}

fn text((message, details): &(String, String), paths: &[String]) -> String {
    let line_end = if details.is_empty() { "" } else { "\n" };
    format!("{message}: {}{line_end}{details}", paths.join(", "))
}

impl fmt::Display for KnativeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (message, paths)) in self.errors.all.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&text(message, paths))?;
        }
        match self.errors.left_out {
            0 => Ok(()),
            left_out => write!(f, "\n{left_out} more errors are not shown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_errors_the_first_are_told() {
        let mut errors = KnativeErrors::default();
        let list = Path::root("list");
        for index in 0..100_000 {
            errors.disallowed(list.index(index));
        }
        let told = errors.to_string();
        assert!(told.starts_with("must not set the field(s): list[0], list[10], "), "{told}");
        assert!(told.ends_with("\n99900 more errors are not shown"), "{told}");
        assert_eq!(told.matches("list[").count(), COMPLAINTS_MAX);
    }
}
