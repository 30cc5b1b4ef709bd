//! What is written as a call and is none (upstream: cel-go, `parser/macro.go`, `ext/comprehensions.go`,
//! `cel/library.go`).

use super::{Parsed, Parser};
use crate::{
    issue::Issue,
    syntax::{Bind, CARRIED, Expr, Fold, Literal, Node, Select},
};

impl Parser {
    pub(super) fn global_call(&mut self, at: usize, name: &str, mut args: Vec<Expr>) -> Parsed {
        if name != "has" || args.len() != 1 {
            return self.call(at, name, None, args);
        }
        let asked = args.remove(0);
        let place = asked.at;
        match asked.node {
            Node::Select(select) if !select.test && !select.optional => {
                self.make(at, Node::Select(Select { test: true, ..select }))
            }
            _ => Err(Issue::new(place, "invalid argument to has() macro")),
        }
    }

    pub(super) fn member_call(&mut self, at: usize, name: &str, target: Expr, args: Vec<Expr>) -> Parsed {
        match (name, args.len()) {
            ("all" | "exists" | "exists_one" | "existsOne" | "map" | "filter", 2) => {
                self.comprehension(at, name, target, args)
            }
            ("map", 3) => self.comprehension(at, name, target, args),
            ("all" | "exists" | "exists_one" | "existsOne" | "transformList" | "transformMap", 3)
            | ("transformList" | "transformMap", 4) => self.comprehension(at, name, target, args),
            ("transformMapEntry", 3 | 4) => self.comprehension(at, name, target, args),
            ("optMap" | "optFlatMap", 2) => self.of_optional(at, name == "optMap", target, args),
            _ => self.call(at, name, Some(target), args),
        }
    }

    /// A name that a macro binds.
    fn variable(arg: &Expr) -> Result<String, Issue> {
        match &arg.node {
            Node::Ident(name) => Ok(name.clone()),
            _ => Err(Issue::new(arg.at, "argument must be a simple name")),
        }
    }

    fn carried(&mut self, at: usize) -> Parsed {
        self.make(at, Node::Ident(CARRIED.into()))
    }

    fn literal(&mut self, at: usize, literal: Literal) -> Parsed {
        self.make(at, Node::Literal(literal))
    }

    fn comprehension(&mut self, at: usize, name: &str, range: Expr, args: Vec<Expr>) -> Parsed {
        let mut args = args.into_iter();
        let two = match name {
            "all" | "exists" | "exists_one" | "existsOne" => args.len() == 3,
            "map" | "filter" => false,
            _ => true,
        };
        let mut variable = || {
            let arg = args.next().ok_or_else(|| Issue::new(at, "argument must be a simple name"))?;
            Self::variable(&arg)
        };
        let var = variable()?;
        let second = two.then(variable).transpose()?;
        let rest: Vec<Expr> = args.collect();
        let (init, condition, step, result) = match name {
            "all" => self.all(at, rest)?,
            "exists" => self.exists(at, rest)?,
            "exists_one" | "existsOne" => self.exists_one(at, rest)?,
            "filter" => {
                let item = self.make(at, Node::Ident(var.clone()))?;
                let item = self.make(at, Node::List(vec![(item, false)]))?;
                self.gather(at, "_+_", rest.into_iter().chain([item]).collect())?
            }
            "map" | "transformList" => {
                let mut rest = rest;
                let item = rest.pop().ok_or_else(|| Issue::new(at, "argument must be an expression"))?;
                let item = self.make(at, Node::List(vec![(item, false)]))?;
                rest.push(item);
                self.gather(at, "_+_", rest)?
            }
            "transformMap" => {
                let mut rest = rest;
                let value = rest.pop().ok_or_else(|| Issue::new(at, "argument must be an expression"))?;
                let key = self.make(at, Node::Ident(var.clone()))?;
                let entry = self.make(at, Node::Map(vec![(key, value, false)]))?;
                rest.push(entry);
                self.gather(at, "cel.@mapInsert", rest)?
            }
            _ => self.gather(at, "cel.@mapInsert", rest)?,
        };
        let fold = Fold { range, var, second, init, condition, step, result };
        self.make(at, Node::Fold(Box::new(fold)))
    }

    fn all(&mut self, at: usize, mut rest: Vec<Expr>) -> Result<(Expr, Expr, Expr, Expr), Issue> {
        let carried = self.carried(at)?;
        let condition = self.call(at, "@not_strictly_false", None, vec![carried])?;
        rest.insert(0, self.carried(at)?);
        let step = self.call(at, "_&&_", None, rest)?;
        Ok((self.literal(at, Literal::Bool(true))?, condition, step, self.carried(at)?))
    }

    fn exists(&mut self, at: usize, mut rest: Vec<Expr>) -> Result<(Expr, Expr, Expr, Expr), Issue> {
        let carried = self.carried(at)?;
        let not = self.call(at, "!_", None, vec![carried])?;
        let condition = self.call(at, "@not_strictly_false", None, vec![not])?;
        rest.insert(0, self.carried(at)?);
        let step = self.call(at, "_||_", None, rest)?;
        Ok((self.literal(at, Literal::Bool(false))?, condition, step, self.carried(at)?))
    }

    fn exists_one(&mut self, at: usize, mut rest: Vec<Expr>) -> Result<(Expr, Expr, Expr, Expr), Issue> {
        let (carried, one) = (self.carried(at)?, self.literal(at, Literal::Int(1))?);
        rest.push(self.call(at, "_+_", None, vec![carried, one])?);
        rest.push(self.carried(at)?);
        let step = self.call(at, "_?_:_", None, rest)?;
        let (carried, one) = (self.carried(at)?, self.literal(at, Literal::Int(1))?);
        let result = self.call(at, "_==_", None, vec![carried, one])?;
        Ok((self.literal(at, Literal::Int(0))?, self.literal(at, Literal::Bool(true))?, step, result))
    }

    /// Puts together a list or a map. `rest`: what is added, after the condition for it if there is one.
    fn gather(
        &mut self,
        at: usize,
        add: &str,
        mut rest: Vec<Expr>,
    ) -> Result<(Expr, Expr, Expr, Expr), Issue> {
        let empty = if add == "_+_" { Node::List(Vec::new()) } else { Node::Map(Vec::new()) };
        let init = self.make(at, empty)?;
        let added = rest.pop().ok_or_else(|| Issue::new(at, "argument must be an expression"))?;
        let carried = self.carried(at)?;
        let mut step = self.call(at, add, None, vec![carried, added])?;
        if let Some(condition) = rest.pop() {
            let carried = self.carried(at)?;
            step = self.call(at, "_?_:_", None, vec![condition, step, carried])?;
        }
        Ok((init, self.literal(at, Literal::Bool(true))?, step, self.carried(at)?))
    }

    /// `optMap` and `optFlatMap`: an expression of what an optional holds. The optional is evaluated once, under a name
    /// that nobody can write.
    fn of_optional(&mut self, at: usize, wraps: bool, target: Expr, mut args: Vec<Expr>) -> Parsed {
        const HELD: &str = "@optional";
        let body = args.pop().ok_or_else(|| Issue::new(at, "argument must be an expression"))?;
        let var = match args.pop() {
            Some(arg) => Self::variable(&arg)?,
            None => return Err(Issue::new(at, "argument must be a simple name")),
        };
        let held = self.make(at, Node::Ident(HELD.into()))?;
        let value = self.call(at, "value", Some(held), Vec::new())?;
        let mut inner = self.make(at, Node::Bind(Box::new(Bind { var, value, body })))?;
        if wraps {
            inner = self.call(at, "optional.of", None, vec![inner])?;
        }
        let held = self.make(at, Node::Ident(HELD.into()))?;
        let there = self.call(at, "hasValue", Some(held), Vec::new())?;
        let none = self.call(at, "optional.none", None, Vec::new())?;
        let choice = self.call(at, "_?_:_", None, vec![there, inner, none])?;
        self.make(at, Node::Bind(Box::new(Bind { var: HELD.into(), value: target, body: choice })))
    }
}
