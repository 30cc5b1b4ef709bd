//! From a rule's text to what can be run.

use cel::{Declared, Program, Type};

use super::normalize;
use crate::custom::{
    Patterns,
    types::{JSONSchemaProps, ValidationRule},
};

/// The value that a rule is about, and the one that it replaces.
pub(super) const SELF: &str = "self";
pub(super) const OLD_SELF: &str = "oldSelf";

/// A rule, ready to be run.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) rule: ValidationRule,
    /// What it says; why it says nothing.
    pub(crate) program: Result<Program, String>,
    /// What its message is made by.
    pub(crate) message: Option<Result<Program, String>>,
    pub(crate) uses_old: bool,
    /// The field that its errors are told of, below the one that it is about.
    pub(super) field: Option<String>,
}

/// Prepares a rule of a schema. `patterns`: those of the definition so far.
pub(crate) fn compile(
    rule: &ValidationRule,
    schema: &JSONSchemaProps,
    declared: &Declared,
    patterns: &mut Patterns,
) -> Compiled {
    let own = declared.of().clone();
    let old = match rule.optional_old_self {
        Some(true) => Type::Optional(own.clone().into()),
        _ => own.clone(),
    };
    let variables = [(SELF, own), (OLD_SELF, old)];
    let mut source = |pattern: &str| patterns.get_for_rule(pattern);
    let program = Program::compile(&rule.rule, &variables, &mut source)
        .map_err(|why| format!("compilation failed: {why}"));
    let program = program.and_then(|program| match program.of() {
        Type::Bool => Ok(program),
        _ => Err("cel expression must evaluate to a bool".into()),
    });
    let message = rule.message_expression.as_deref().filter(|text| !text.is_empty());
    let message = message.filter(|_| program.is_ok()).map(|text| {
        let program = Program::compile(text, &variables, &mut source);
        let program = program.map_err(|why| format!("messageExpression compilation failed: {why}"));
        program.and_then(|program| match program.of() {
            Type::String => Ok(program),
            _ => Err("messageExpression must evaluate to a string".into()),
        })
    });
    let field = rule.field_path.as_deref().filter(|path| !path.is_empty());
    Compiled {
        rule: rule.clone(),
        uses_old: program.as_ref().is_ok_and(|program| program.mentions(OLD_SELF)),
        program,
        message,
        field: field.and_then(|path| normalize(path, schema).ok()),
    }
}

impl Compiled {
    /// What errors call it.
    pub(super) fn title(&self) -> &str {
        let message = self.rule.message.as_deref().unwrap_or_default();
        if message.is_empty() { self.rule.rule.trim() } else { message.trim() }
    }
}
