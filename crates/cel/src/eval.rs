//! Evaluation (upstream: cel-go, `interpreter`). Everything is counted before it is done.

use std::fmt;

use crate::{
    budget::Budget,
    library::{access, optionals},
    price,
    syntax::{Bind, CARRIED, Call, Expr, Fold, Node, Select},
    value::{Key, List, Map, Text, Value, no_such_key},
};

/// What comes of an expression.
pub(crate) type Answer<'v> = Result<Value<'v>, Failure>;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something cannot be done; other parts of the expression may make up for it.
    Error(String),
    /// It takes more than it may.
    Cancelled,
}

impl Failure {
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::Error(message.into())
    }

    /// That a function does not take these values.
    pub(crate) fn no_overload() -> Self {
        Self::error("no such overload")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(message) => f.write_str(message),
            Self::Cancelled => f.write_str("operation cancelled: actual cost limit exceeded"),
        }
    }
}

/// What a list and a map cost to make (upstream: cel-go, `common/cost.go`).
pub(crate) const LIST_COST: u64 = 10;
pub(crate) const MAP_COST: u64 = 30;

pub(crate) struct Evaluation<'v, 'b> {
    variables: &'b [(&'v str, Value<'v>)],
    /// What is bound within, the innermost last. Of what is carried on an error is kept, since a later item may make
    /// up for it.
    scope: Vec<(&'v str, Answer<'v>)>,
    budget: &'b mut Budget,
}

/// The value of an expression.
pub(crate) fn evaluate<'v>(
    expr: &'v Expr,
    variables: &[(&'v str, Value<'v>)],
    budget: &mut Budget,
) -> Answer<'v> {
    Evaluation { variables, scope: Vec::new(), budget }.of(expr)
}

impl<'v> Evaluation<'v, '_> {
    fn of(&mut self, expr: &'v Expr) -> Answer<'v> {
        self.budget.step(1)?;
        match &expr.node {
            Node::Literal(literal) => Ok(Value::of_literal(literal)),
            Node::Ident(name) => self.of_name(name),
            Node::Select(select) => self.of_select(select),
            Node::Call(call) => self.of_call(call),
            Node::List(items) => self.of_list(items),
            Node::Map(entries) => self.of_map(entries),
            Node::Fold(fold) => self.of_fold(fold),
            Node::Bind(bind) => self.of_bind(bind),
        }
    }

    fn of_name(&mut self, name: &'v str) -> Answer<'v> {
        self.budget.charge(1)?;
        if let Some((_, bound)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return bound.clone();
        }
        if let Some((_, value)) = self.variables.iter().find(|(variable, _)| *variable == name) {
            return Ok(value.clone());
        }
        let of = crate::kind::Type::named(name).map(Value::Type);
        of.ok_or_else(|| Failure::error(format!("no such attribute(s): {name}")))
    }

    fn of_select(&mut self, select: &'v Select) -> Answer<'v> {
        let operand = self.of(&select.operand)?;
        let (operand, wrapped) = match operand {
            Value::Optional(None) if select.test => return Ok(Value::Bool(false)),
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(held)) => ((*held).clone(), true),
            plain => (plain, false),
        };
        let Value::Map(map) = &operand else {
            return Err(Failure::no_overload());
        };
        if select.test {
            return Ok(Value::Bool(map.field(&select.field).is_some()));
        }
        self.budget.charge(1)?;
        match map.field(&select.field) {
            Some(found) if wrapped || select.optional => found.map(Value::some),
            Some(found) => found,
            None if wrapped || select.optional => Ok(Value::Optional(None)),
            None => Err(no_such_key(&Value::String(Text::Of(&select.field)))),
        }
    }

    fn of_call(&mut self, call: &'v Call) -> Answer<'v> {
        match call.name.as_str() {
            "_&&_" => return self.logic(&call.args, false),
            "_||_" => return self.logic(&call.args, true),
            "_?_:_" => return self.choice(call),
            "@not_strictly_false" => {
                return match self.of(&call.args[0]) {
                    Err(Failure::Cancelled) => Err(Failure::Cancelled),
                    Ok(Value::Bool(false)) => Ok(Value::Bool(false)),
                    _ => Ok(Value::Bool(true)),
                };
            }
            "or" | "orValue" => return self.alternative(call),
            _ => {}
        }
        let Some(function) = call.function else { return Err(Failure::no_overload()) };
        let mut args = Vec::with_capacity(call.args.len() + 1);
        for arg in call.target.iter().chain(&call.args) {
            args.push(self.of(arg)?);
        }
        let cost = price::of_call(function.price, &args, self.budget)?;
        self.budget.charge(cost)?;
        if let Some(pattern) = &call.pattern {
            return crate::library::patterns::with(&call.name, pattern, &args, self.budget);
        }
        (function.run)(self.budget, &args)
    }

    /// `&&` and `||`: what decides makes up for errors on both sides of it.
    fn logic(&mut self, terms: &'v [Expr], decides: bool) -> Answer<'v> {
        let mut failed = None;
        for term in terms {
            match self.of(term) {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failed = failed.or(Some(Failure::no_overload())),
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn choice(&mut self, call: &'v Call) -> Answer<'v> {
        match self.of(&call.args[0])? {
            Value::Bool(true) => self.of(&call.args[1]),
            Value::Bool(false) => self.of(&call.args[2]),
            _ => Err(Failure::no_overload()),
        }
    }

    /// `or` and `orValue` do not look at the alternative that is not needed.
    fn alternative(&mut self, call: &'v Call) -> Answer<'v> {
        let (Some(target), Some(other)) = (&call.target, call.args.first()) else {
            return Err(Failure::no_overload());
        };
        self.budget.charge(1)?;
        match (self.of(target)?, call.name == "or") {
            (some @ Value::Optional(Some(_)), true) => Ok(some),
            (Value::Optional(Some(held)), false) => Ok((*held).clone()),
            (Value::Optional(None), _) => self.of(other),
            _ => Err(Failure::no_overload()),
        }
    }

    fn of_list(&mut self, items: &'v [(Expr, bool)]) -> Answer<'v> {
        if !items.iter().all(|(item, _)| item.is_literal()) {
            self.budget.charge(LIST_COST)?;
        }
        self.budget.make(items.len() * size_of::<Value<'_>>())?;
        let mut list = Vec::with_capacity(items.len());
        for (item, optional) in items {
            let value = self.of(item)?;
            list.extend(if *optional { optionals::held(value)? } else { Some(value) });
        }
        Ok(Value::list(list))
    }

    fn of_map(&mut self, entries: &'v [(Expr, Expr, bool)]) -> Answer<'v> {
        self.budget.charge(MAP_COST)?;
        self.budget.make(entries.len() * 3 * size_of::<Value<'_>>())?;
        let mut map = std::collections::BTreeMap::new();
        for (key, value, optional) in entries {
            let key = self.of(key)?;
            let value = self.of(value)?;
            let Some(value) = (if *optional { optionals::held(value)? } else { Some(value) }) else {
                continue;
            };
            let name = Key::of(&key)
                .ok_or_else(|| Failure::error(format!("unsupported key type: {}", key.of().name())))?;
            map.insert(name, value);
        }
        Ok(Value::Map(Map::Own(map.into())))
    }

    fn of_bind(&mut self, bind: &'v Bind) -> Answer<'v> {
        let value = self.of(&bind.value);
        if matches!(value, Err(Failure::Cancelled)) {
            return value;
        }
        self.scope.push((&bind.var, value));
        let answer = self.of(&bind.body);
        self.scope.pop();
        answer
    }

    fn of_fold(&mut self, fold: &'v Fold) -> Answer<'v> {
        let range = self.of(&fold.range)?;
        let init = self.of(&fold.init)?;
        let bound = self.scope.len();
        self.scope.push((CARRIED, Ok(init)));
        let end = match &range {
            Value::List(list) => self.over_list(fold, list),
            Value::Map(map) => self.over_map(fold, map),
            _ => Err(Failure::no_overload()),
        };
        self.scope.truncate(bound + 1);
        let answer = end.and_then(|()| self.of(&fold.result));
        self.scope.truncate(bound);
        answer
    }

    fn over_list(&mut self, fold: &'v Fold, list: &List<'v>) -> Result<(), Failure> {
        for (at, item) in list.items().enumerate() {
            let at = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
            match &fold.second {
                Some(second) => self.scope.extend([(fold.var.as_str(), Ok(at)), (second.as_str(), item)]),
                None => self.scope.push((&fold.var, item)),
            }
            if !self.round(fold)? {
                break;
            }
        }
        Ok(())
    }

    fn over_map(&mut self, fold: &'v Fold, map: &Map<'v>) -> Result<(), Failure> {
        self.budget.step(map.len())?;
        for key in map.keys() {
            let value = fold.second.as_ref().and_then(|_| map.find(&key));
            self.scope.push((&fold.var, Ok(key.value())));
            if let (Some(second), Some(value)) = (&fold.second, value) {
                self.scope.push((second, value));
            }
            if !self.round(fold)? {
                break;
            }
        }
        Ok(())
    }

    /// One item, whose names were bound; returns whether there was one more to be looked at.
    fn round(&mut self, fold: &'v Fold) -> Result<bool, Failure> {
        let names = if fold.second.is_some() { 2 } else { 1 };
        let goes_on = matches!(self.of(&fold.condition)?, Value::Bool(true));
        let outcome = if goes_on { self.carry(&fold.step) } else { Ok(()) };
        self.scope.truncate(self.scope.len() - names);
        outcome.map(|()| goes_on)
    }

    /// The next value that is carried on. What is only added to is not copied.
    fn carry(&mut self, step: &'v Expr) -> Result<(), Failure> {
        if let Node::Call(call) = &step.node {
            match (call.name.as_str(), call.args.as_slice()) {
                ("_?_:_", [condition, yes, no]) if is_carried(no) || is_carried(yes) => {
                    return match self.of(condition) {
                        Ok(Value::Bool(true)) => self.carry(yes),
                        Ok(Value::Bool(false)) => self.carry(no),
                        Ok(_) => self.put(Err(Failure::no_overload())),
                        Err(failure) => self.put(Err(failure)),
                    };
                }
                ("_+_" | "cel.@mapInsert", [first, more]) if is_carried(first) => {
                    self.budget.charge(2)?;
                    return match self.of(more) {
                        Ok(more) => self.add(more),
                        Err(failure) => self.put(Err(failure)),
                    };
                }
                _ => {}
            }
        }
        if is_carried(step) {
            return self.budget.charge(1);
        }
        let next = self.of(step);
        self.put(next)
    }

    fn carried(&mut self) -> Option<&mut Answer<'v>> {
        self.scope.iter_mut().rev().find(|(name, _)| *name == CARRIED).map(|(_, value)| value)
    }

    fn put(&mut self, next: Answer<'v>) -> Result<(), Failure> {
        if matches!(next, Err(Failure::Cancelled)) {
            return next.map(|_| ());
        }
        if let Some(carried) = self.carried() {
            // An error stays, unless what comes decides.
            *carried = next;
        }
        Ok(())
    }

    fn add(&mut self, more: Value<'v>) -> Result<(), Failure> {
        self.budget.make(3 * size_of::<Value<'_>>())?;
        let Some(carried) = self.carried() else { return Ok(()) };
        let Ok(present) = carried else { return Ok(()) };
        let sum = match (std::mem::replace(present, Value::Null), more) {
            (Value::List(List::Own(mut items)), Value::List(List::Own(more))) => {
                std::rc::Rc::make_mut(&mut items).extend(more.iter().cloned());
                Ok(Value::List(List::Own(items)))
            }
            (Value::Map(Map::Own(mut entries)), Value::Map(more)) => {
                access::insert_all(std::rc::Rc::make_mut(&mut entries), &more)
                    .map(|()| Value::Map(Map::Own(entries)))
            }
            (Value::Int(number), Value::Int(more)) => {
                number.checked_add(more).map(Value::Int).ok_or_else(|| Failure::error("integer overflow"))
            }
            _ => Err(Failure::no_overload()),
        };
        self.put(sum)
    }
}

fn is_carried(expr: &Expr) -> bool {
    matches!(&expr.node, Node::Ident(name) if name == CARRIED)
}

#[cfg(test)]
mod tests;
