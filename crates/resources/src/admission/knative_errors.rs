//! What is wrong with a Knative object, in Knative's words.
//!
//! Upstream: pkg, `apis/field_error.go`. A message has all the paths it holds for; messages are sorted, so that the
//! same object always gets the same text.

use std::{collections::BTreeMap, fmt};

use super::path::Path;

/// Errors and warnings, as they are found.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnativeErrors {
    errors: BTreeMap<(String, String), Vec<String>>,
    warnings: BTreeMap<(String, String), Vec<String>>,
}

impl KnativeErrors {
    /// Whether nothing is wrong; warnings do not count.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The warnings, one text each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.iter().map(|(message, paths)| text(message, paths)).collect()
    }

    /// A message of its own for these paths, with a line of details that may be empty.
    pub(crate) fn add(&mut self, message: impl Into<String>, paths: &[Path<'_>], details: impl Into<String>) {
        put(&mut self.errors, message.into(), paths, details.into());
    }

    /// As [`KnativeErrors::add`], but the object is taken all the same.
    pub(crate) fn warn(
        &mut self,
        message: impl Into<String>,
        paths: &[Path<'_>],
        details: impl Into<String>,
    ) {
        put(&mut self.warnings, message.into(), paths, details.into());
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

fn put(
    errors: &mut BTreeMap<(String, String), Vec<String>>,
    message: String,
    paths: &[Path<'_>],
    details: String,
) {
    let known = errors.entry((message, details)).or_default();
    for path in paths.iter().map(ToString::to_string) {
        if let Err(at) = known.binary_search(&path) {
            known.insert(at, path);
        }
    }
}

fn text((message, details): &(String, String), paths: &[String]) -> String {
    let line_end = if details.is_empty() { "" } else { "\n" };
    format!("{message}: {}{line_end}{details}", paths.join(", "))
}

impl fmt::Display for KnativeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (message, paths)) in self.errors.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&text(message, paths))?;
        }
        Ok(())
    }
}
