//! From words to a tree.

mod macros;

use crate::{
    issue::Issue,
    kind::Type,
    lexer::{Token, Word, words},
    limits::{CHARS_MAX, LEVELS_MAX},
    syntax::{Call, Expr, Literal, Node, RESERVED, Select},
};

/// How much `&&` binds; `||` binds less.
const AND: u8 = 1;
/// Operators between two, what they are called, and how much they bind.
const OPERATORS: [(&str, &str, u8); 14] = [
    ("||", "_||_", 0),
    ("&&", "_&&_", AND),
    ("==", "_==_", 2),
    ("!=", "_!=_", 2),
    ("<=", "_<=_", 2),
    (">=", "_>=_", 2),
    ("<", "_<_", 2),
    (">", "_>_", 2),
    ("in", "@in", 2),
    ("+", "_+_", 3),
    ("-", "_-_", 3),
    ("*", "_*_", 4),
    ("/", "_/_", 4),
    ("%", "_%_", 4),
];

pub(crate) struct Parser {
    tokens: Vec<Token>,
    next: usize,
    ids: usize,
    depth: usize,
}

type Parsed = Result<Expr, Issue>;

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Parsed {
    let size = text.chars().count();
    if size > CHARS_MAX {
        let why = format!("expression code point size exceeds limit: size: {size}, limit {CHARS_MAX}");
        return Err(Issue::new(0, why));
    }
    let mut parser = Parser { tokens: words(text)?, next: 0, ids: 0, depth: 0 };
    let expr = parser.expression()?;
    match parser.word() {
        Word::End => Ok(expr),
        _ => Err(parser.unexpected("extraneous input", "<EOF>")),
    }
}

impl Parser {
    fn word(&self) -> &Word {
        &self.tokens[self.next].word
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    /// Takes a sign, if it is the next word; returns where it was.
    fn take(&mut self, sign: &str) -> Option<usize> {
        let at = self.at();
        let found = matches!(self.word(), Word::Sign(found) if *found == sign);
        found.then(|| {
            self.next += 1;
            at
        })
    }

    fn expect(&mut self, sign: &str) -> Result<usize, Issue> {
        self.take(sign).ok_or_else(|| self.unexpected("mismatched input", &format!("'{sign}'")))
    }

    fn unexpected(&self, what: &str, expecting: &str) -> Issue {
        let found = match self.word() {
            Word::End => "<EOF>".to_owned(),
            Word::Sign(sign) => (*sign).to_owned(),
            Word::Ident(name) => name.clone(),
            Word::Literal(literal) => match literal {
                Literal::Null => "null".into(),
                Literal::Bool(value) => value.to_string(),
                Literal::Int(number) => number.to_string(),
                Literal::Uint(number) => format!("{number}u"),
                Literal::Double(number) => number.to_string(),
                Literal::String(text) => format!("{text:?}"),
                Literal::Bytes(_) => "b\"…\"".into(),
            },
        };
        Issue::new(self.at(), format!("Syntax error: {what} '{found}' expecting {expecting}"))
    }

    /// Makes an expression. That too many are not in each other is what lets everything after this recurse.
    pub(crate) fn make(&mut self, at: usize, node: Node) -> Parsed {
        let id = self.ids;
        self.ids += 1;
        let mut expr = Expr { id, at, levels: 0, node, of: Type::Dyn };
        let mut below = 0;
        expr.parts(&mut |part| below = below.max(part.levels));
        expr.levels = below + 1;
        if expr.levels > LEVELS_MAX { Err(too_deep(at)) } else { Ok(expr) }
    }

    fn call(&mut self, at: usize, name: &str, target: Option<Expr>, args: Vec<Expr>) -> Parsed {
        let call = Call {
            name: name.to_owned(),
            target,
            args,
            function: None,
            overloads: Vec::new(),
            pattern: None,
        };
        self.make(at, Node::Call(Box::new(call)))
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > LEVELS_MAX {
            return Err(too_deep(self.at()));
        }
        let mut expr = self.operators(0)?;
        if let Some(at) = self.take("?") {
            let yes = self.operators(0)?;
            self.expect(":")?;
            let no = self.expression()?;
            expr = self.call(at, "_?_:_", None, vec![expr, yes, no])?;
        }
        self.depth -= 1;
        Ok(expr)
    }

    /// The operator that is the next word, if it binds as much as this at least.
    fn operator(&mut self, binds: u8) -> Option<(usize, &'static str, u8)> {
        let Word::Sign(sign) = self.word() else { return None };
        let found = OPERATORS.iter().find(|(known, _, own)| known == sign && *own >= binds);
        let (sign, name, binds) = *found?;
        self.take(sign).map(|at| (at, name, binds))
    }

    /// Terms and the operators between them, from the left. Terms of `&&`, and of `||`, are one call.
    fn operators(&mut self, binds: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((at, name, own)) = self.operator(binds) {
            let mut terms = vec![left, self.operators(own + 1)?];
            while own <= AND && self.operator(own).is_some() {
                terms.push(self.operators(own + 1)?);
            }
            left = self.call(at, name, None, terms)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        for (sign, name) in [("!", "!_"), ("-", "-_")] {
            let Some(at) = self.take(sign) else { continue };
            let mut odd = true;
            while self.take(sign).is_some() {
                odd = !odd;
            }
            if sign == "-"
                && odd
                && let Some(literal) = self.negative()
            {
                let literal = self.make(at, Node::Literal(literal))?;
                return self.members(literal);
            }
            let operand = self.member()?;
            return if odd { self.call(at, name, None, vec![operand]) } else { Ok(operand) };
        }
        self.member()
    }

    /// A number after a minus.
    fn negative(&mut self) -> Option<Literal> {
        let literal = match self.word() {
            Word::Literal(Literal::Int(number)) => Literal::Int(number.wrapping_neg()),
            Word::Literal(Literal::Double(number)) => Literal::Double(-number),
            _ => return None,
        };
        self.next += 1;
        Some(literal)
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// What follows after a dot or in brackets.
    fn members(&mut self, mut expr: Expr) -> Parsed {
        loop {
            if let Some(at) = self.take(".") {
                let name = self.name()?;
                expr = match self.take("(") {
                    Some(open) => {
                        let args = self.arguments(")")?;
                        self.member_call(open, &name, expr, args)?
                    }
                    None => self.select(at, expr, name, false)?,
                };
            } else if let Some(at) = self.take(".?") {
                let name = self.name()?;
                expr = self.select(at, expr, name, true)?;
            } else if let Some(at) = self.take("[?") {
                let index = self.expression()?;
                self.expect("]")?;
                expr = self.call(at, "_[?_]", None, vec![expr, index])?;
            } else if let Some(at) = self.take("[") {
                let index = self.expression()?;
                self.expect("]")?;
                expr = self.call(at, "_[_]", None, vec![expr, index])?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn select(&mut self, at: usize, operand: Expr, field: String, optional: bool) -> Parsed {
        let select = Select { operand: Box::new(operand), field, test: false, optional };
        self.make(at, Node::Select(select))
    }

    fn name(&mut self) -> Result<String, Issue> {
        match self.word() {
            Word::Ident(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("mismatched input", "IDENTIFIER")),
        }
    }

    /// Expressions up to a closing bracket.
    fn arguments(&mut self, close: &str) -> Result<Vec<Expr>, Issue> {
        let mut args = Vec::new();
        if self.take(close).is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expression()?);
            if self.take(",").is_none() {
                self.expect(close)?;
                return Ok(args);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        if self.take("(").is_some() {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        // A `?` after the bracket belongs to the first item.
        if self.take("[").is_some() {
            return self.list(at, false);
        }
        if self.take("[?").is_some() {
            return self.list(at, true);
        }
        if self.take("{").is_some() {
            return self.map(at, false);
        }
        if self.take("{?").is_some() {
            return self.map(at, true);
        }
        self.take(".");
        match self.word().clone() {
            Word::Literal(Literal::Int(i64::MIN)) => Err(Issue::new(at, "invalid int literal")),
            Word::Literal(literal) => {
                self.next += 1;
                self.make(at, Node::Literal(literal))
            }
            Word::Ident(name) => {
                let at = self.at();
                self.next += 1;
                if RESERVED.contains(&name.as_str()) {
                    return Err(Issue::new(at, format!("reserved identifier: {name}")));
                }
                match self.take("(") {
                    Some(open) => {
                        let args = self.arguments(")")?;
                        self.global_call(open, &name, args)
                    }
                    None => self.make(at, Node::Ident(name)),
                }
            }
            _ => Err(self.unexpected("mismatched input", "an expression")),
        }
    }

    fn list(&mut self, at: usize, mut optional: bool) -> Parsed {
        let mut items = Vec::new();
        while optional || self.take("]").is_none() {
            let optional_item = optional || self.take("?").is_some();
            optional = false;
            items.push((self.expression()?, optional_item));
            if self.take(",").is_none() {
                self.expect("]")?;
                break;
            }
        }
        self.make(at, Node::List(items))
    }

    fn map(&mut self, at: usize, mut optional: bool) -> Parsed {
        let mut entries = Vec::new();
        while optional || self.take("}").is_none() {
            let optional_entry = optional || self.take("?").is_some();
            optional = false;
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?, optional_entry));
            if self.take(",").is_none() {
                self.expect("}")?;
                break;
            }
        }
        self.make(at, Node::Map(entries))
    }
}

fn too_deep(at: usize) -> Issue {
    Issue::new(at, format!("expression recursion limit exceeded: {LEVELS_MAX}"))
}
