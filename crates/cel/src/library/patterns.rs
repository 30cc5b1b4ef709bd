//! Regular expressions.

mod repeats;

use std::fmt::Display;

use regex::{Regex, RegexBuilder};

pub use self::repeats::states as pattern_states;
use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    limits::{PATTERN_BYTES_MAX, PATTERN_STATES_PER_STEP},
    value::{Text, Value},
};

/// A pattern, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// About how many states it can be in.
    states: usize,
}

/// Who compiles the patterns that stand in an expression, since there may be many expressions. The error is what there is
/// to say beside that something is no pattern; mostly nothing.
pub type PatternSource<'a> = dyn FnMut(&str) -> Result<Regex, String> + 'a;

/// Prepares a pattern that becomes known in an evaluation.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn prepare(pattern: &str) -> Result<Pattern, String> {
    let wrong = |error: &dyn Display| format!("error parsing regexp: {error}");
    let states = repeats::states(pattern).map_err(|error| wrong(&error))?;
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build();
    Ok(Pattern { regex: built.map_err(|error| wrong(&error))?, states })
}

/// Prepares a pattern that stands in an expression.
pub(crate) fn prepare_by(source: &mut PatternSource<'_>, pattern: &str) -> Result<Pattern, String> {
    let regex = source(pattern)?;
    let states = repeats::states(pattern).map_err(|_| String::new())?;
    Ok(Pattern { regex, states })
}

/// A source that bounds each pattern by itself.
#[cfg(test)]
pub(crate) fn each_alone(pattern: &str) -> Result<Regex, String> {
    prepare(pattern).map(|pattern| pattern.regex).map_err(|_| String::new())
}

/// A function of patterns by its name, with a pattern that was prepared before.
pub(crate) fn with<'v>(name: &str, pattern: &Pattern, args: &[Value<'v>], budget: &mut Budget) -> Answer<'v> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    // Upstream counts for the pattern's text what its states take.
    let steps = |text: &str| text.len().saturating_mul(pattern.states) / PATTERN_STATES_PER_STEP;
    budget.step(steps(text))?;
    let regex = &pattern.regex;
    // Of a text that is somebody else's, parts are too.
    let part = |part: &str, range: std::ops::Range<usize>| match &args[0] {
        Value::String(Text::Of(whole)) => Value::String(Text::Of(&whole[range])),
        _ => Value::String(Text::Own(part.into())),
    };
    match name {
        "matches" => Ok(Value::Bool(regex.is_match(text))),
        "find" => Ok(match regex.find(text) {
            Some(found) => part(found.as_str(), found.range()),
            None => Value::String(Text::Of("")),
        }),
        _ => {
            let most = match args.get(2) {
                Some(Value::Int(most)) => usize::try_from(*most).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            let mut all = Vec::new();
            for found in regex.find_iter(text).take(most) {
                // The next one may be looked for up to the end, although it is found at once.
                budget.step(steps(&text[found.end()..]))?;
                budget.make(size_of::<Value<'_>>() + found.len())?;
                all.push(part(found.as_str(), found.range()));
            }
            Ok(Value::list(all))
        }
    }
}

fn run<'v>(name: &str, budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let pattern = args.get(1).and_then(Value::text).ok_or_else(Failure::no_overload)?;
    let pattern = budget.pattern(pattern)?;
    with(name, &pattern, args, budget)
}

pub(crate) fn matches<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    run("matches", budget, args)
}

pub(crate) fn find<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    run("find", budget, args)
}

pub(crate) fn find_all<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    run("findAll", budget, args)
}
