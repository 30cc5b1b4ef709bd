//! One breach of a rule.

use std::fmt;

/// Sorted by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    path: String,
    /// Counted from 1; 0 when the whole file is meant.
    line: usize,
    rule: &'static str,
    /// What is wrong, and what to do.
    message: String,
}

impl Finding {
    pub(super) fn file(rule: &'static str, path: &str, message: &str) -> Self {
        Self::line(rule, path, 0, message)
    }

    pub(super) fn line(rule: &'static str, path: &str, line: usize, message: &str) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, message } = self;
        match line {
            0 => write!(f, "{path}: {rule}: {message}"),
            line => write!(f, "{path}:{line}: {rule}: {message}"),
        }
    }
}
