//! Texts in an expression that mean something to what they are given to (upstream: cel-go, `cel/validator.go`).

use super::parts_mut;
use crate::{
    issue::Issue,
    library::{
        patterns::{PatternSource, prepare_by},
        time,
    },
    syntax::{Call, Expr, Literal, Node},
};

/// Looks at all such texts, and prepares patterns.
pub(super) fn check(expr: &mut Expr, issues: &mut Vec<Issue>, patterns: &mut PatternSource<'_>) {
    if let Node::Call(call) = &mut expr.node {
        look(call, issues, patterns);
    }
    parts_mut(expr, &mut |part| check(part, issues, patterns));
}

fn look(call: &mut Call, issues: &mut Vec<Issue>, patterns: &mut PatternSource<'_>) {
    let Some(arg) = call.args.first() else { return };
    let Node::Literal(Literal::String(text)) = &arg.node else { return };
    // What there is to say of a text that is none.
    let fault = match call.name.as_str() {
        "duration" => time::duration(text).is_none().then(String::new),
        "timestamp" => time::timestamp(text).is_none().then(String::new),
        "matches" | "find" | "findAll" => {
            // Called as a function, the pattern comes second.
            let pattern = match (&call.target, call.args.last().map(|arg| &arg.node)) {
                (None, Some(Node::Literal(Literal::String(pattern)))) => pattern,
                (None, _) => return,
                _ => text,
            };
            match prepare_by(patterns, pattern) {
                Ok(prepared) => {
                    call.pattern = Some(prepared);
                    None
                }
                Err(why) => Some(why),
            }
        }
        _ => None,
    };
    if let Some(why) = fault {
        let at = if call.target.is_none() { call.args.last().map_or(arg.at, |arg| arg.at) } else { arg.at };
        let why = if why.is_empty() { why } else { format!(": {why}") };
        issues.push(Issue::new(at, format!("invalid {} argument{why}", call.name)));
    }
}
