//! What an evaluation may still take. What is about to be done is counted before it is done, so that nothing takes more.

use crate::{
    eval::Failure,
    library::patterns::{self, Pattern},
    limits::{BYTES_MAX, COST_MAX, PATTERN_STEPS, STEPS_MAX},
};

/// What one evaluation may still take, and what it has cost.
#[derive(Debug)]
pub struct Budget {
    cost: u64,
    cost_max: u64,
    steps: u64,
    bytes: u64,
    formats: Formats,
    /// Patterns that were prepared on the way.
    patterns: Vec<(String, Pattern)>,
}

/// What is wrong with a text that should have a format, by the format's name in `format.named`; `None` for a name that
/// there is not.
pub type Formats = fn(&str, &str) -> Option<Vec<String>>;

/// How many prepared patterns are kept during an evaluation.
const PATTERNS_MAX: usize = 16;

impl Budget {
    /// What one evaluation may take. `formats`: those that there are.
    pub fn new(formats: Formats) -> Self {
        Self::of(COST_MAX, STEPS_MAX, BYTES_MAX, formats)
    }

    pub(crate) fn of(cost_max: u64, steps: u64, bytes: u64, formats: Formats) -> Self {
        Self { cost: 0, cost_max, steps, bytes, formats, patterns: Vec::new() }
    }

    /// What was counted, in upstream's units.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// How much may still be charged.
    pub(crate) fn left(&self) -> u64 {
        self.cost_max.saturating_sub(self.cost)
    }

    /// Counts a cost.
    pub(crate) fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        if cost > self.left() {
            self.cost = self.cost_max.saturating_add(1);
            return Err(Failure::Cancelled);
        }
        self.cost += cost;
        Ok(())
    }

    /// Counts steps.
    pub(crate) fn step(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps = self.steps.checked_sub(steps as u64).ok_or(Failure::Cancelled)?;
        Ok(())
    }

    /// Counts bytes that are about to be made.
    pub(crate) fn make(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes = self.bytes.checked_sub(bytes as u64).ok_or(Failure::Cancelled)?;
        Ok(())
    }

    pub(crate) fn formats(&self) -> Formats {
        self.formats
    }

    /// A pattern, prepared.
    pub(crate) fn pattern(&mut self, text: &str) -> Result<Pattern, Failure> {
        if let Some((_, pattern)) = self.patterns.iter().find(|(known, _)| known == text) {
            return Ok(pattern.clone());
        }
        self.step(PATTERN_STEPS as usize)?;
        let pattern = patterns::prepare(text).map_err(Failure::error)?;
        if self.patterns.len() >= PATTERNS_MAX {
            self.patterns.remove(0);
        }
        self.patterns.push((text.to_owned(), pattern.clone()));
        Ok(pattern)
    }
}
