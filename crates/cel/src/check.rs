//! Of what type each expression is, and whether it makes sense (upstream: cel-go, `checker/checker.go`).

mod call;
mod literals;

use crate::{
    issue::Issue,
    kind::Type,
    library::patterns::PatternSource,
    syntax::{CARRIED, Expr, Fold, Literal, Node, Select},
    unify::{Unifier, most_general},
};

/// Looks at an expression and notes in it what was found.
pub(crate) struct Checker<'a> {
    pub(super) issues: Vec<Issue>,
    pub(super) types: Unifier,
    variables: &'a [(&'a str, Type)],
    /// Names that are bound within, the innermost last.
    scope: Vec<(String, Type)>,
}

/// What is wrong with an expression; its types are noted in it.
pub(crate) fn check(
    expr: &mut Expr,
    variables: &[(&str, Type)],
    patterns: &mut PatternSource<'_>,
) -> Vec<Issue> {
    let (issues, types, scope) = (Vec::new(), Unifier::default(), Vec::new());
    let mut checker = Checker { issues, types, variables, scope };
    checker.check(expr);
    settle(expr, &checker.types);
    if checker.issues.is_empty() {
        literals::check(expr, &mut checker.issues, patterns);
    }
    checker.issues
}

/// Puts in the types that were found after they were noted.
fn settle(expr: &mut Expr, types: &Unifier) {
    expr.of = types.resolve(&expr.of, true);
    parts_mut(expr, &mut |part| settle(part, types));
}

/// Calls `look` with the expressions that one consists of.
fn parts_mut(expr: &mut Expr, look: &mut dyn FnMut(&mut Expr)) {
    match &mut expr.node {
        Node::Literal(_) | Node::Ident(_) => {}
        Node::Select(select) => look(&mut select.operand),
        Node::Call(call) => call.target.iter_mut().chain(&mut call.args).for_each(look),
        Node::List(items) => items.iter_mut().for_each(|(item, _)| look(item)),
        Node::Map(entries) => entries.iter_mut().for_each(|(key, value, _)| {
            look(key);
            look(value);
        }),
        Node::Fold(fold) => {
            let Fold { range, init, condition, step, result, .. } = &mut **fold;
            [range, init, condition, step, result].into_iter().for_each(look);
        }
        Node::Bind(bind) => [&mut bind.value, &mut bind.body].into_iter().for_each(look),
    }
}

impl Checker<'_> {
    pub(super) fn wrong(&mut self, at: usize, message: String) {
        self.issues.push(Issue::new(at, message));
    }

    fn mismatch(&mut self, at: usize, expected: &Type, found: &Type) {
        let (expected, found) = (self.types.resolve(expected, true), self.types.resolve(found, true));
        self.wrong(at, format!("expected type '{expected}' but found '{found}'"));
    }

    pub(super) fn undeclared(&mut self, at: usize, name: &str) {
        self.wrong(at, format!("undeclared reference to '{name}' (in container '')"));
    }

    fn lookup(&self, name: &str) -> Option<Type> {
        let bound = self.scope.iter().rev().find(|(bound, _)| bound == name);
        let bound = bound.map(|(_, of)| of.clone());
        let variable = || self.variables.iter().find(|(known, _)| *known == name).map(|(_, of)| of.clone());
        bound.or_else(variable).or_else(|| Type::named(name).map(|of| Type::Type(Some(of.into()))))
    }

    pub(super) fn check(&mut self, expr: &mut Expr) {
        let at = expr.at;
        let qualified = match &expr.node {
            Node::Select(select) if !select.test && !select.optional => expr.qualified(),
            _ => None,
        };
        if let Some((name, of)) = qualified.and_then(|name| self.lookup(&name).map(|of| (name, of))) {
            (expr.node, expr.of) = (Node::Ident(name), of);
            return;
        }
        expr.of = match &mut expr.node {
            Node::Literal(literal) => of_literal(literal),
            Node::Ident(name) => match self.lookup(name) {
                Some(of) => of,
                None => {
                    self.undeclared(at, &name.clone());
                    Type::Error
                }
            },
            Node::Select(select) => self.of_select(at, select),
            Node::Call(call) => self.of_call(at, call),
            Node::List(items) => self.of_list(items),
            Node::Map(entries) => self.of_map(entries),
            Node::Fold(fold) => self.of_fold(fold),
            Node::Bind(bind) => {
                self.check(&mut bind.value);
                self.scope.push((bind.var.clone(), bind.value.of.clone()));
                self.check(&mut bind.body);
                self.scope.pop();
                bind.body.of.clone()
            }
        };
    }

    fn of_select(&mut self, at: usize, select: &mut Select) -> Type {
        self.check(&mut select.operand);
        let operand = self.types.resolve(&select.operand.of, false);
        let (target, wrapped) = match operand {
            Type::Optional(of) => ((*of).clone(), true),
            plain => (plain, false),
        };
        let found = match &target {
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => match object.field(&select.field) {
                Some(field) => field.declared.of.clone(),
                None => {
                    self.wrong(at, format!("undefined field '{}'", select.field));
                    Type::Error
                }
            },
            Type::Param(_) => {
                self.types.assignable([(&Type::Dyn, &target)]);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                self.wrong(at, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        match (select.test, wrapped || select.optional) {
            (true, _) => Type::Bool,
            (false, true) => Type::optional(found),
            (false, false) => found,
        }
    }

    /// The type of an item that may be left out.
    fn held(&mut self, item: &Expr, optional: bool) -> Type {
        let of = self.types.resolve(&item.of, false);
        match (of, optional) {
            (Type::Optional(of), true) => (*of).clone(),
            (of, true) if of != Type::Dyn => {
                self.mismatch(item.at, &Type::optional(of.clone()), &of);
                of
            }
            (of, _) => of,
        }
    }

    /// The type of which two are.
    fn join(&mut self, at: usize, one: Option<Type>, other: Type) -> Type {
        let Some(one) = one else { return other };
        if self.types.assignable([(&one, &other)]) {
            return most_general(one, other);
        }
        self.mismatch(at, &one, &other);
        Type::Error
    }

    fn of_list(&mut self, items: &mut [(Expr, bool)]) -> Type {
        let mut joined = None;
        for (item, optional) in items {
            self.check(item);
            let held = self.held(item, *optional);
            joined = Some(self.join(item.at, joined, held));
        }
        Type::list(joined.unwrap_or_else(|| self.types.fresh()))
    }

    fn of_map(&mut self, entries: &mut [(Expr, Expr, bool)]) -> Type {
        let (mut keys, mut values) = (None, None);
        for (key, value, optional) in entries {
            self.check(key);
            keys = Some(self.join(key.at, keys, key.of.clone()));
            self.check(value);
            let held = self.held(value, *optional);
            values = Some(self.join(value.at, values, held));
        }
        match (keys, values) {
            // What is no key is told at evaluation; without parts a type does not grow with each map that is a key.
            (Some(keys @ (Type::List(_) | Type::Map(..) | Type::Optional(_))), Some(values))
                if keys != Type::Dyn =>
            {
                Type::map(Type::Dyn, values)
            }
            (Some(keys), Some(values)) => Type::map(keys, values),
            _ => {
                let key = self.types.fresh();
                Type::map(key, self.types.fresh())
            }
        }
    }

    fn of_fold(&mut self, fold: &mut Fold) -> Type {
        self.check(&mut fold.range);
        self.check(&mut fold.init);
        let range = self.types.resolve(&fold.range.of, false);
        let (one, other) = match &range {
            Type::List(item) => ((**item).clone(), Type::Int),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.types.assignable([(&Type::Dyn, &range)]);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let why = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.wrong(fold.range.at, why);
                (Type::Error, Type::Error)
            }
        };
        let bound = self.scope.len();
        let carried = fold.init.of.clone();
        self.scope.push((CARRIED.into(), carried.clone()));
        // Of a list the first of two names is the index; of a map the key.
        match (&fold.second, &range) {
            (Some(second), Type::List(_)) => {
                self.scope.push((fold.var.clone(), other));
                self.scope.push((second.clone(), one));
            }
            (Some(second), _) => {
                self.scope.push((fold.var.clone(), one));
                self.scope.push((second.clone(), other));
            }
            (None, _) => self.scope.push((fold.var.clone(), one)),
        }
        self.check(&mut fold.condition);
        self.must_be(&fold.condition, &Type::Bool);
        self.check(&mut fold.step);
        self.must_be(&fold.step, &carried);
        self.scope.truncate(bound + 1);
        self.check(&mut fold.result);
        self.scope.truncate(bound);
        self.types.resolve(&fold.result.of, false)
    }

    fn must_be(&mut self, expr: &Expr, expected: &Type) {
        if !self.types.assignable([(expected, &expr.of)]) {
            let found = expr.of.clone();
            self.mismatch(expr.at, expected, &found);
        }
    }
}

fn of_literal(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}

#[cfg(test)]
mod tests;
