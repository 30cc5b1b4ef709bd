//! Texts in an expression that mean something to what they are given to (upstream: cel-go, `cel/validator.go`).

use super::parts_mut;
use crate::{
    issue::Issue,
    library::{patterns, time},
    syntax::{Call, Expr, Literal, Node},
};

/// Looks at all such texts, and prepares patterns.
pub(super) fn check(expr: &mut Expr, issues: &mut Vec<Issue>) {
    if let Node::Call(call) = &mut expr.node {
        look(call, issues);
    }
    parts_mut(expr, &mut |part| check(part, issues));
}

fn look(call: &mut Call, issues: &mut Vec<Issue>) {
    let Some(arg) = call.args.first() else { return };
    let Node::Literal(Literal::String(text)) = &arg.node else { return };
    let fine = match call.name.as_str() {
        "duration" => time::duration(text).is_some(),
        "timestamp" => time::timestamp(text).is_some(),
        "matches" | "find" | "findAll" => {
            // Called as a function, the pattern comes second.
            let pattern = match (&call.target, call.args.last().map(|arg| &arg.node)) {
                (None, Some(Node::Literal(Literal::String(pattern)))) => pattern,
                (None, _) => return,
                _ => text,
            };
            let prepared = patterns::prepare(pattern).ok();
            let fine = prepared.is_some();
            call.pattern = prepared;
            fine
        }
        _ => true,
    };
    if !fine {
        let at = if call.target.is_none() { call.args.last().map_or(arg.at, |arg| arg.at) } else { arg.at };
        issues.push(Issue::new(at, format!("invalid {} argument", call.name)));
    }
}
