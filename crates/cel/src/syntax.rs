//! The tree of an expression.

use crate::{functions::Function, kind::Type, library::patterns::Pattern};

/// Names that are kept for later by the language.
pub(crate) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// One expression in another.
#[derive(Debug)]
pub(crate) struct Expr {
    /// Its number in the whole.
    pub(crate) id: usize,
    /// Where it is, in characters.
    pub(crate) at: usize,
    /// How many levels of expressions it is.
    pub(crate) levels: usize,
    pub(crate) node: Node,
    /// What the checker has found.
    pub(crate) of: Type,
}

#[derive(Debug)]
pub(crate) enum Node {
    Literal(Literal),
    Ident(String),
    Select(Select),
    Call(Box<Call>),
    /// The items, and whether each is an optional that may be left out.
    List(Vec<(Expr, bool)>),
    Map(Vec<(Expr, Expr, bool)>),
    Fold(Box<Fold>),
    /// An expression with a value that has a name.
    Bind(Box<Bind>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) operand: Box<Expr>,
    pub(crate) field: String,
    /// Whether it only asks if the field is there.
    pub(crate) test: bool,
    /// Whether what it gives is an optional.
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) target: Option<Expr>,
    pub(crate) args: Vec<Expr>,
    /// What the checker has found: the function, and which of its overloads it may be.
    pub(crate) function: Option<&'static Function>,
    pub(crate) overloads: Vec<&'static str>,
    /// The pattern, where it is a literal.
    pub(crate) pattern: Option<Pattern>,
}

/// What all comprehensions come to: a value that is carried on from item to item.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) range: Expr,
    /// The name of the item; of the index or key, where there is another.
    pub(crate) var: String,
    pub(crate) second: Option<String>,
    /// The value before the first item.
    pub(crate) init: Expr,
    /// Whether to go on.
    pub(crate) condition: Expr,
    pub(crate) step: Expr,
    pub(crate) result: Expr,
}

#[derive(Debug)]
pub(crate) struct Bind {
    pub(crate) var: String,
    pub(crate) value: Expr,
    pub(crate) body: Expr,
}

/// What the value that is carried on is called, which nobody can write.
pub(crate) const CARRIED: &str = "@result";

impl Expr {
    /// The names of an identifier and its fields, `a.b.c`, where it is no more than that.
    pub(crate) fn qualified(&self) -> Option<String> {
        match &self.node {
            Node::Ident(name) => Some(name.clone()),
            Node::Select(select) if !select.test && !select.optional => {
                Some(format!("{}.{}", select.operand.qualified()?, select.field))
            }
            _ => None,
        }
    }

    pub(crate) fn is_literal(&self) -> bool {
        matches!(self.node, Node::Literal(_))
    }

    /// Calls `look` with the expressions that this one consists of.
    pub(crate) fn parts<'e>(&'e self, look: &mut dyn FnMut(&'e Self)) {
        match &self.node {
            Node::Literal(_) | Node::Ident(_) => {}
            Node::Select(select) => look(&select.operand),
            Node::Call(call) => call.target.iter().chain(&call.args).for_each(look),
            Node::List(items) => items.iter().for_each(|(item, _)| look(item)),
            Node::Map(entries) => {
                for (key, value, _) in entries {
                    look(key);
                    look(value);
                }
            }
            Node::Fold(fold) => {
                [&fold.range, &fold.init, &fold.condition, &fold.step, &fold.result]
                    .into_iter()
                    .for_each(look);
            }
            Node::Bind(bind) => [&bind.value, &bind.body].into_iter().for_each(look),
        }
    }

    /// Whether the expression speaks of a variable. Names that are bound within never are a variable's here, since
    /// nobody may give them to two things.
    pub(crate) fn mentions(&self, variable: &str) -> bool {
        if matches!(&self.node, Node::Ident(name) if name == variable) {
            return true;
        }
        let mut found = false;
        self.parts(&mut |part| found |= part.mentions(variable));
        found
    }
}
