//! The patterns of a definition's schemas and rules: each is compiled once, and all of them together are bounded.

use std::collections::HashMap;

use regex::{Error, Regex, RegexBuilder};

/// How large one compiled pattern may be, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// How large all different patterns of a definition may be together, each taken for the first of [`SIZES`] into which it
/// fits.
const PATTERNS_BYTES_MAX: usize = 16 << 20;
/// Nobody tells how large a pattern has become, only whether it is too large.
const SIZES: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, PATTERN_BYTES_MAX];

/// Why a text is not taken for a pattern.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("must be a valid regular expression, but isn't: {0}")]
    NoPattern(String),
    #[error(
        "may, with all other patterns of the definition, not be larger than {} MiB when compiled",
        PATTERNS_BYTES_MAX >> 20
    )]
    NoRoom,
}

/// The patterns that were compiled so far.
#[derive(Debug)]
pub struct Patterns {
    known: HashMap<String, Result<Regex, NotTaken>>,
    bytes: usize,
    /// What `bytes` may become.
    room: usize,
}

impl Default for Patterns {
    /// Those of a definition that is not stored yet.
    fn default() -> Self {
        Self { known: HashMap::new(), bytes: 0, room: PATTERNS_BYTES_MAX }
    }
}

impl Patterns {
    /// Those of a definition that is stored already: what accepted it may have bounded each by itself alone, and so does
    /// this, so that its objects can still be written.
    pub fn of_stored() -> Self {
        Self { room: usize::MAX, ..Self::default() }
    }

    /// A pattern, compiled.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn get(&mut self, pattern: &str) -> Result<Regex, NotTaken> {
        if let Some(known) = self.known.get(pattern) {
            return known.clone();
        }
        let compiled = self.compile(pattern);
        self.known.insert(pattern.to_owned(), compiled.clone());
        compiled
    }

    /// As [`Patterns::get`], for expressions, which say themselves that something is no pattern.
    pub(super) fn get_for_rule(&mut self, pattern: &str) -> Result<Regex, String> {
        self.get(pattern).map_err(|why| match why {
            NotTaken::NoPattern(_) => String::new(),
            NotTaken::NoRoom => why.to_string(),
        })
    }

    fn compile(&mut self, pattern: &str) -> Result<Regex, NotTaken> {
        // Upstream's own may not repeat more.
        cel::pattern_states(pattern)
            .map_err(|why| NotTaken::NoPattern(format!("error parsing regexp: {why}")))?;
        let left = self.room.saturating_sub(self.bytes);
        for size in SIZES.into_iter().filter(|size| *size <= left) {
            match RegexBuilder::new(pattern).size_limit(size).build() {
                Ok(regex) => {
                    self.bytes += size;
                    return Ok(regex);
                }
                Err(Error::CompiledTooBig(_)) if size < PATTERN_BYTES_MAX => {}
                Err(error) => {
                    // Finding out was as much work as if it had fitted.
                    self.bytes += size;
                    return Err(NotTaken::NoPattern(error.to_string()));
                }
            }
        }
        // Nothing more is tried, where there is a bound for all of them.
        if self.room < usize::MAX {
            self.bytes = self.room;
        }
        Err(NotTaken::NoRoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_compiled_once_and_all_are_bounded_together() {
        let mut patterns = Patterns::default();
        for _ in 0..100_000 {
            assert!(patterns.get("^[a-z]{900}$").is_ok());
        }
        assert!(patterns.bytes <= PATTERN_BYTES_MAX, "{}", patterns.bytes);
        // Each has as many states as there are letters in Unicode, twenty times.
        let taken = (0..5000).take_while(|at| patterns.get(&format!("\\w{{20}}{at}")).is_ok()).count();
        assert!((10..5000).contains(&taken) && patterns.bytes <= PATTERNS_BYTES_MAX, "{taken}");
        assert!(patterns.get("a").unwrap_err().to_string().contains("larger than 16 MiB"));
        assert!(patterns.get("^[a-z]{900}$").is_ok(), "it is there");
    }

    #[test]
    fn what_is_stored_already_has_room() {
        let pattern = |at: usize| format!("\\w{{20}}{at}");
        let (mut new, mut stored) = (Patterns::default(), Patterns::of_stored());
        let refused = (0..5000).position(|at| new.get(&pattern(at)).is_err()).unwrap();
        assert!((0..=refused).all(|at| stored.get(&pattern(at)).is_ok()), "{refused}");
        assert!(stored.get("\\w{900}").is_err(), "each is bounded by itself");
        assert!(stored.get("a").is_ok(), "and none for another");
    }

    #[test]
    fn what_is_none_is_told() {
        let mut patterns = Patterns::default();
        for (pattern, words) in [
            ("(", "unclosed group"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("\\w{900}", "size limit"),
        ] {
            let why = patterns.get(pattern).unwrap_err().to_string();
            assert!(why.starts_with("must be a valid regular expression") && why.contains(words), "{why}");
        }
    }
}
