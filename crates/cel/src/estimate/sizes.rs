//! How large values can be.

use super::{Estimator, Range};
use crate::{
    declared::Declared,
    kind::Type,
    syntax::{Expr, Literal, Node},
};

/// Where a value comes from. Upstream looks for what follows on something that was computed from the root on, and so is
/// it here.
#[derive(Clone, Copy)]
pub(super) enum Path<'d> {
    /// It was computed.
    Computed,
    /// It is a part of a variable, of which this is declared.
    At(Option<&'d Declared>),
}

/// How large the items of a list, or the keys and values of a map, are.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) is_list: bool,
    pub(super) key: Range,
    pub(super) value: Range,
}

impl Entry {
    pub(super) fn union(self, other: Self) -> Self {
        Self { is_list: self.is_list, key: self.key.union(other.key), value: self.value.union(other.value) }
    }
}

/// The keys of all maps: texts of which nothing is known.
static KEYS: Declared =
    Declared { of: Type::String, max: 0, min_bytes: 2, items: None, lists: crate::declared::Lists::Atomic };

impl<'d> Path<'d> {
    fn step(self, root: &'d Declared, step: impl Fn(&'d Declared) -> Option<&'d Declared>) -> Self {
        match self {
            Self::Computed => Self::At(Some(root)),
            Self::At(declared) => Self::At(declared.and_then(step)),
        }
    }

    pub(super) fn field(self, name: &str, root: &'d Declared) -> Self {
        self.step(root, |declared| declared.field(name))
    }

    pub(super) fn items(self, root: &'d Declared) -> Self {
        self.step(root, Declared::items)
    }

    pub(super) fn keys(self, root: &'d Declared) -> Self {
        self.step(root, |declared| matches!(declared.of, Type::Map(..)).then_some(&KEYS))
    }

    pub(super) fn indexes(self, root: &'d Declared) -> Self {
        self.step(root, |_| None)
    }

    pub(super) fn size(self) -> Option<Range> {
        match self {
            Self::At(Some(declared)) => Some(Range { min: 0, max: declared.max }),
            _ => None,
        }
    }
}

impl<'e, 'd> Estimator<'e, 'd> {
    pub(super) fn path(&self, expr: &Expr) -> Path<'d> {
        if let Node::Ident(name) = &expr.node
            && let Some(local) = self.locals.iter().rev().find(|local| local.name == name)
        {
            return local.path;
        }
        self.paths.get(&expr.id).copied().unwrap_or(Path::Computed)
    }

    pub(super) fn size(&mut self, expr: &Expr) -> Option<Range> {
        if let Some(known) = self.sizes.get(&expr.id) {
            return Some(*known);
        }
        let written = match &expr.node {
            Node::Literal(Literal::String(text)) => Some(text.chars().count()),
            Node::Literal(Literal::Bytes(bytes)) => Some(bytes.len()),
            Node::Literal(_) => Some(1),
            Node::List(items) => Some(items.len()),
            Node::Map(entries) => Some(entries.len()),
            _ => None,
        };
        if let Some(size) = written {
            return Some(Range::fixed(size as u64));
        }
        if let Some(size) = self.path(expr).size() {
            self.sizes.insert(expr.id, size);
            return Some(size);
        }
        if expr.of.is_scalar() {
            return Some(Range::fixed(1));
        }
        match &expr.node {
            Node::Ident(name) => self.locals.iter().rev().find(|local| local.name == name)?.size,
            _ => None,
        }
    }

    pub(super) fn size_or_unknown(&mut self, expr: &Expr) -> Range {
        self.size(expr).unwrap_or(Range::UNKNOWN)
    }

    /// How large the items of a list are.
    pub(super) fn item_size(&self, expr: &Expr) -> Range {
        let path = match self.path(expr) {
            Path::Computed => None,
            at => at.items(self.root).size(),
        };
        path.unwrap_or(Range::UNKNOWN)
    }

    pub(super) fn entry(&self, expr: &Expr) -> Option<Entry> {
        if let Some(entry) = self.entries.get(&expr.id) {
            return Some(*entry);
        }
        match &expr.node {
            Node::Ident(name) => self.locals.iter().rev().find(|local| local.name == name)?.entry,
            _ => None,
        }
    }
}
