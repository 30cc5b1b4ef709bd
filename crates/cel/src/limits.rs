//! What an expression may be and take at most.

/// How many characters an expression may have (upstream: cel-go, `ParserExpressionSizeLimit`).
pub const CHARS_MAX: usize = 100_000;
/// How many expressions may be in each other, which is what lets all else recurse (upstream: cel-go,
/// `ParserRecursionLimit`, which is 250; this is what the smallest of our stacks takes with much to spare).
pub const LEVELS_MAX: usize = 100;
/// What one evaluation may cost, in upstream's units (upstream: apiserver, `PerCallLimit`).
pub const COST_MAX: u64 = 1_000_000;
/// How many steps one evaluation may take that upstream counts nothing for: comparing what is deep in a list, walking
/// what it adds up. A step is some nanoseconds.
pub const STEPS_MAX: u64 = 5_000_000;
/// How many bytes one evaluation may make.
pub const BYTES_MAX: u64 = 64 << 20;
/// How many steps it counts to prepare a pattern that is not known before.
pub(crate) const PATTERN_STEPS: u64 = 50_000;
/// How many states of a pattern are looked at for one character in the time of a step.
pub(crate) const PATTERN_STATES_PER_STEP: usize = 16;
/// How large a prepared pattern may be, in bytes.
pub(crate) const PATTERN_BYTES_MAX: usize = 1 << 20;
