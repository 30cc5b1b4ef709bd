//! What an expression can cost at most, from its text and from what is declared of the values it speaks of (upstream:
//! cel-go, `checker/cost.go`). Definitions are refused by this number, so it is upstream's to the letter.

mod calls;
mod range;
mod sizes;

use std::collections::HashMap;

pub(crate) use self::range::Range;
use self::sizes::{Entry, Path};
use crate::{
    declared::Declared,
    eval::{LIST_COST, MAP_COST},
    kind::Type,
    syntax::{Bind, CARRIED, Expr, Fold, Node, Select},
};

/// A name that is bound within, and what is known of its value.
struct Local<'e, 'd> {
    name: &'e str,
    path: Path<'d>,
    size: Option<Range>,
    entry: Option<Entry>,
}

pub(crate) struct Estimator<'e, 'd> {
    root: &'d Declared,
    paths: HashMap<usize, Path<'d>>,
    locals: Vec<Local<'e, 'd>>,
    sizes: HashMap<usize, Range>,
    entries: HashMap<usize, Entry>,
}

/// What an expression can cost. `root`: what is declared of every variable.
pub(crate) fn estimate(expr: &Expr, root: &Declared) -> u64 {
    let (paths, sizes, entries) = (HashMap::new(), HashMap::new(), HashMap::new());
    Estimator { root, paths, locals: Vec::new(), sizes, entries }.cost(expr).max
}

impl<'e, 'd> Estimator<'e, 'd> {
    fn cost(&mut self, expr: &'e Expr) -> Range {
        match &expr.node {
            Node::Literal(_) => Range::ZERO,
            Node::Ident(name) => {
                let local = self.locals.iter().rev().find(|local| local.name == name);
                let path = local.map_or(Path::At(Some(self.root)), |local| local.path);
                self.paths.insert(expr.id, path);
                Range::fixed(1)
            }
            Node::Select(select) => self.of_select(expr, select),
            Node::Call(call) => self.of_call(expr, call),
            Node::List(items) => self.of_list(expr, items),
            Node::Map(entries) => self.of_map(expr, entries),
            Node::Fold(fold) => self.of_fold(expr, fold),
            Node::Bind(bind) => self.of_bind(expr, bind),
        }
    }

    fn of_select(&mut self, expr: &'e Expr, select: &'e Select) -> Range {
        let cost = self.cost(&select.operand);
        if select.test {
            return cost;
        }
        if select.optional {
            return cost.add(Range::fixed(1));
        }
        let own = u64::from(matches!(select.operand.of, Type::Map(..) | Type::Object(_)));
        let path = self.path(&select.operand).field(&select.field, self.root);
        self.paths.insert(expr.id, path);
        cost.add(Range::fixed(own))
    }

    fn of_list(&mut self, expr: &'e Expr, items: &'e [(Expr, bool)]) -> Range {
        let mut cost = Range::fixed(LIST_COST);
        let mut size = Range { min: if items.is_empty() { 0 } else { u64::MAX }, max: 0 };
        for (item, _) in items {
            cost = cost.add(self.cost(item));
            size = size.union(self.size_or_unknown(item));
        }
        self.entries.insert(expr.id, Entry { is_list: true, key: Range::fixed(1), value: size });
        cost
    }

    fn of_map(&mut self, expr: &'e Expr, entries: &'e [(Expr, Expr, bool)]) -> Range {
        let mut cost = Range::fixed(MAP_COST);
        let none = Range { min: if entries.is_empty() { 0 } else { u64::MAX }, max: 0 };
        let (mut keys, mut values) = (none, none);
        for (key, value, _) in entries {
            cost = cost.add(self.cost(key)).add(self.cost(value));
            keys = keys.union(self.size_or_unknown(key));
            values = values.union(self.size_or_unknown(value));
        }
        self.entries.insert(expr.id, Entry { is_list: false, key: keys, value: values });
        cost
    }

    /// Binds the names of a comprehension; returns how many.
    fn bind_items(&mut self, fold: &'e Fold) -> usize {
        let entry = self.entry(&fold.range);
        let is_list = entry.map_or(matches!(fold.range.of, Type::List(_)), |entry| entry.is_list);
        let path = self.path(&fold.range);
        let keys = Local {
            name: &fold.var,
            path: if is_list && fold.second.is_some() {
                path.indexes(self.root)
            } else {
                path.keys(self.root)
            },
            size: entry.map(|entry| entry.key),
            entry: None,
        };
        let values = Local {
            name: fold.second.as_deref().unwrap_or(&fold.var),
            path: path.items(self.root),
            size: entry.map(|entry| entry.value),
            entry: None,
        };
        match (fold.second.is_some(), is_list) {
            (true, _) => {
                self.locals.extend([keys, values]);
                2
            }
            (false, true) => {
                self.locals.push(values);
                1
            }
            (false, false) => {
                self.locals.push(keys);
                1
            }
        }
    }

    fn bind(&mut self, name: &'e str, value: &'e Expr) {
        let local = Local { name, path: self.path(value), size: self.size(value), entry: self.entry(value) };
        self.locals.push(local);
    }

    fn of_fold(&mut self, expr: &'e Expr, fold: &'e Fold) -> Range {
        let mut cost = self.cost(&fold.range).add(self.cost(&fold.init));
        self.bind(CARRIED, &fold.init);
        let names = self.bind_items(fold);
        let condition = self.cost(&fold.condition);
        let step = self.cost(&fold.step);
        self.locals.truncate(self.locals.len() - names);
        cost = cost.add(self.cost(&fold.result));
        self.locals.pop();
        let count = self.size_or_unknown(&fold.range);
        cost = cost.add(count.multiply(step.add(condition)));
        match &fold.init.node {
            Node::Literal(_) => {
                if let Some(size) = self.size(&fold.init) {
                    self.sizes.insert(expr.id, size);
                }
            }
            Node::List(_) | Node::Map(_) => {
                self.sizes.insert(expr.id, count);
                if let Some(entry) = self.entry(&fold.step) {
                    self.entries.insert(expr.id, entry);
                }
            }
            _ => {}
        }
        cost
    }

    fn of_bind(&mut self, expr: &'e Expr, bind: &'e Bind) -> Range {
        // Upstream binds by a comprehension of an empty list.
        let mut cost = Range::fixed(LIST_COST).add(self.cost(&bind.value));
        self.bind(&bind.var, &bind.value);
        cost = cost.add(self.cost(&bind.body));
        self.locals.pop();
        self.copy(expr, &bind.body);
        cost
    }

    fn copy(&mut self, to: &'e Expr, from: &'e Expr) {
        if let Some(size) = self.size(from) {
            self.sizes.insert(to.id, size);
        }
        if let Some(entry) = self.entry(from) {
            self.entries.insert(to.id, entry);
        }
    }
}

#[cfg(test)]
mod tests;
