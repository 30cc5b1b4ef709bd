//! An expression that is ready to be evaluated.

use crate::{
    budget::Budget,
    check::check,
    declared::Declared,
    estimate::estimate,
    eval::{Failure, evaluate},
    issue::render,
    kind::Type,
    library::patterns::PatternSource,
    parse::parse,
    syntax::Expr,
    value::Value,
};

/// An expression that makes sense.
#[derive(Debug)]
pub struct Program(Expr);

impl Program {
    /// Reads an expression. `variables`: the names that it can use beside those it binds, and their types; `patterns`: who
    /// compiles those that stand in it.
    ///
    /// # Errors
    /// All that is wrong with it, shown where it is.
    pub fn compile(
        text: &str,
        variables: &[(&str, Type)],
        patterns: &mut PatternSource<'_>,
    ) -> Result<Self, String> {
        let mut expr = parse(text).map_err(|issue| render(text, vec![issue]))?;
        let issues = check(&mut expr, variables, patterns);
        if issues.is_empty() { Ok(Self(expr)) } else { Err(render(text, issues)) }
    }

    /// The type of its value.
    pub fn of(&self) -> &Type {
        &self.0.of
    }

    /// Whether it speaks of a variable.
    pub fn mentions(&self, variable: &str) -> bool {
        self.0.mentions(variable)
    }

    /// What it can cost at most. `root`: what is declared of its variables, which are all of one type.
    pub fn cost_max(&self, root: &Declared) -> u64 {
        estimate(&self.0, root)
    }

    /// Its value.
    ///
    /// # Errors
    /// When it has none, or takes more than it may.
    pub fn evaluate<'v>(
        &'v self,
        variables: &[(&'v str, Value<'v>)],
        budget: &mut Budget,
    ) -> Result<Value<'v>, Failure> {
        evaluate(&self.0, variables, budget)
    }
}
