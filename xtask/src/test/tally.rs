//! The count of a test run, and its last line.

use std::fmt;

use anyhow::Result;

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
    pub(super) skipped: Vec<Skip>,
    interrupted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Skip {
    pub(super) name: String,
    pub(super) reason: String,
}

impl Skip {
    /// The same, with the name of its test binary before its own.
    pub(super) fn of(self, binary: &str) -> Self {
        Self { name: format!("{binary} {}", self.name), ..self }
    }
}

impl Tally {
    /// Runs what is no test; only its failure counts.
    pub(super) fn step<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("── {name}");
        step().map_err(|error| self.fail(format!("{name}: {error:#}"))).ok()
    }

    pub(super) fn fail(&mut self, what: String) {
        println!("FAILED {what}");
        self.failed.push(what);
    }

    pub(super) fn interrupt(&mut self, during: &str) {
        self.interrupted = true;
        self.fail(format!("{during}: interrupted"));
    }

    pub(super) fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Nothing failed; and where nothing may be missing, nothing was skipped.
    pub(super) fn is_success(&self, skips_fail: bool) -> bool {
        self.failed.is_empty() && (self.skipped.is_empty() || !skips_fail)
    }
}

/// What was skipped and what failed, by name, then the line that counts.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Skip { name, reason } in &self.skipped {
            writeln!(f, "skipped: {name}: {reason}")?;
        }
        for what in &self.failed {
            writeln!(f, "failed: {what}")?;
        }
        let (passed, failed, skipped) = (self.passed, self.failed.len(), self.skipped.len());
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let mut tally = Tally { passed: 41, ..Tally::default() };
        assert_eq!(tally.to_string(), "41 passed, 0 failed, 0 skipped");
        tally.skipped.push(Skip { name: "pulls".into(), reason: "no network".into() });
        assert!(tally.is_success(false) && !tally.is_success(true));
        tally.fail("node::starts".into());
        assert!(!tally.is_success(false));
        let shown = tally.to_string();
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            ["skipped: pulls: no network", "failed: node::starts", "41 passed, 1 failed, 1 skipped"]
        );
    }
}
