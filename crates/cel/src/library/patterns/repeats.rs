//! How much is repeated in a pattern, which decides how many states it has.

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange, Visitor, parse::Parser};

/// How often anything may be repeated, in what is itself repeated all in all (upstream: Go, regexp/syntax,
/// `repeatIsValid`).
const REPEATS_MAX: u32 = 1000;

/// About how many states a pattern has: its parts, as often as they are repeated.
///
/// # Errors
/// What is wrong with it.
pub fn states(pattern: &str) -> Result<usize, String> {
    let ast = Parser::new().parse(pattern).map_err(|error| error.to_string())?;
    ast::visit(&ast, Count { pattern, left: vec![REPEATS_MAX], states: 0 })
}

struct Count<'a> {
    pattern: &'a str,
    /// How often what is next may still be repeated, for each repetition that it is in.
    left: Vec<u32>,
    states: usize,
}

impl Count<'_> {
    fn left(&self) -> u32 {
        self.left.last().copied().unwrap_or(REPEATS_MAX)
    }
}

/// How often at most, or at least where there is no most.
fn times(kind: &RepetitionKind) -> u32 {
    match kind {
        RepetitionKind::Range(
            RepetitionRange::Exactly(times)
            | RepetitionRange::AtLeast(times)
            | RepetitionRange::Bounded(_, times),
        ) => *times,
        _ => 1,
    }
}

impl Visitor for Count<'_> {
    type Output = usize;
    type Err = String;

    fn finish(self) -> Result<usize, String> {
        Ok(self.states)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::Repetition(repetition) => {
                let (left, times) = (self.left(), times(&repetition.op.kind).max(1));
                if times > left {
                    let span = repetition.op.span;
                    let op = &self.pattern[span.start.offset..span.end.offset];
                    return Err(format!("invalid repeat count: `{op}`"));
                }
                self.left.push(left / times);
            }
            _ => self.states += (REPEATS_MAX / self.left().max(1)) as usize,
        }
        Ok(())
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), String> {
        if matches!(ast, Ast::Repetition(_)) {
            self.left.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::states;

    #[test]
    fn what_is_repeated_is_as_many_states() {
        for (pattern, expect) in [("a", 1), ("a{1000}", 1000), ("(a{10}){100}", 1100), ("[a-z]+", 1)] {
            let found = states(pattern).unwrap();
            assert!((expect / 2..=expect * 2).contains(&found), "{pattern}: {found}");
        }
        for (pattern, op) in [("a{1001}", "{1001}"), ("(a{10}){101}", "{10}"), ("1[01]{9999}[2-9]", "{9999}")]
        {
            assert_eq!(states(pattern), Err(format!("invalid repeat count: `{op}`")));
        }
    }
}
