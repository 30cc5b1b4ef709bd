//! What calls can cost, and how large what they give can be.

use super::{Estimator, Range};
use crate::{
    functions::{Price, Sized},
    kind::Type,
    price::{PATTERN, WALK},
    syntax::{Call, Expr, Literal, Node},
};

/// What a call costs beside its arguments, and the size of what it gives.
type Guess = (Range, Option<Range>);

impl<'e> Estimator<'e, '_> {
    pub(super) fn of_call(&mut self, expr: &'e Expr, call: &'e Call) -> Range {
        if call.name == "dyn" && call.args.len() == 1 {
            let cost = self.cost(&call.args[0]).add(Range::fixed(1));
            self.copy(expr, &call.args[0]);
            return cost;
        }
        let mut costs = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            costs.push(self.cost(arg));
        }
        let target = call.target.as_ref().map_or(Range::ZERO, |target| self.cost(target));
        let all = costs.iter().fold(Range::ZERO, |sum, cost| sum.add(*cost));
        let (own, size) = match call.name.as_str() {
            "_&&_" | "_||_" => (Range { min: costs[0].min, max: all.max }, None),
            "_?_:_" => self.of_choice(expr, call, &costs),
            _ => {
                let (own, size) = self.guess(expr, call);
                (own.add(all), size)
            }
        };
        let mut size = size;
        if matches!(call.name.as_str(), "_[_]")
            && matches!(call.args[0].of, Type::List(_) | Type::Map(..) | Type::Dyn)
        {
            size = self.entry(&call.args[0]).map(|entry| entry.value).or(size);
            let path = self.path(&call.args[0]).items(self.root);
            self.paths.insert(expr.id, path);
        }
        let size = size.or_else(|| self.size(expr));
        if let Some(size) = size {
            self.sizes.insert(expr.id, size);
        }
        target.add(own)
    }

    fn of_choice(&mut self, expr: &'e Expr, call: &'e Call, costs: &[Range]) -> Guess {
        let [_, yes, no] = call.args.as_slice() else { return (Range::ZERO, None) };
        let size = self.size_or_unknown(yes).union(self.size_or_unknown(no));
        if let (Some(one), Some(other)) = (self.entry(yes), self.entry(no)) {
            self.entries.insert(expr.id, one.union(other));
        }
        (costs[0].add(costs[1].union(costs[2])), Some(size))
    }

    fn guess(&mut self, expr: &'e Expr, call: &'e Call) -> Guess {
        let Some(function) = call.function else { return (Range::ZERO, None) };
        let one = (Range::fixed(1), None);
        let is = |id: &str| call.overloads.contains(&id);
        let only = |ids: &[&str]| call.overloads.iter().all(|id| ids.contains(id));
        let args = &call.args;
        // The first that is looked at: the target, where there is one.
        let first = call.target.as_ref().or(args.first());
        if call.name.starts_with("sets.") {
            let factor = if call.name == "sets.equivalent" { 2.0 } else { 1.0 };
            let product = self.size_or_unknown(&args[0]).multiply(self.size_or_unknown(&args[1]));
            return (product.times(factor).add(Range::fixed(1)), None);
        }
        match function.price {
            Price::Nothing => (Range::ZERO, None),
            Price::One => one,
            Price::Scan(factor, sized) => match (sized, first) {
                (_, None) => one,
                (Sized::Bytes, _) if !is("string_to_bytes") => one,
                (Sized::Text, _) if !is("bytes_to_string") => one,
                (_, Some(first)) => self.scanned(call, first, factor, sized),
            },
            Price::Walk => self.walked(call),
            Price::Join => self.joined(call),
            Price::Pattern => match &call.target {
                None => one,
                Some(target) => {
                    let text = self.size_or_unknown(target);
                    let pattern = self.size_or_unknown(&args[0]).times(PATTERN);
                    let found = (call.name != "matches").then_some(Range { min: 0, max: text.max });
                    (text.add(Range::fixed(1)).times(WALK).multiply(pattern), found)
                }
            },
            Price::Contains => match &call.target {
                None => one,
                Some(target) => {
                    let text = self.size_or_unknown(target).times(WALK);
                    (text.multiply(self.size_or_unknown(&args[0]).times(WALK)), None)
                }
            },
            Price::Compare => self.compared(call),
            Price::Add
                if only(&["add_string", "add_bytes", "add_list"])
                    || args.iter().any(|arg| arg.of == Type::Dyn) =>
            {
                self.added(expr, call)
            }
            Price::Add => one,
            Price::In if is("in_list") => (self.size_or_unknown(&args[1]), None),
            Price::In => one,
            Price::Validate => {
                /// Upstream: apiserver, `MaxNameFormatRegexSize`.
                const LONGEST: f64 = 128.0;
                (self.size_or_unknown(&args[0]).times(WALK).times(LONGEST * PATTERN), None)
            }
            Price::Block => {
                let addresses = Range { min: 4, max: 16 };
                let mut cost = addresses.add(addresses).times(WALK);
                if call.name == "containsCIDR" {
                    cost = cost.add(addresses.times(WALK)).add(Range::fixed(1));
                }
                if is("cidr_contains_ip_string") || is("cidr_contains_cidr_string") {
                    cost = cost.add(self.size_or_unknown(&args[0]).times(WALK));
                }
                (cost, None)
            }
        }
    }

    fn scanned(&mut self, call: &'e Call, first: &'e Expr, factor: f64, sized: Sized) -> Guess {
        let size = self.size_or_unknown(first);
        let cost = size.times(factor);
        match sized {
            // An address of a block is there already.
            Sized::Unknown if call.overloads.contains(&"cidr_ip") => (Range::fixed(1), None),
            Sized::Unknown => (cost, None),
            Sized::Same => (cost, Some(size)),
            Sized::Bytes => (cost, Some(Range { min: size.min, max: size.max.saturating_mul(4) })),
            Sized::Text => (cost, Some(Range { min: size.min / 4, max: size.max })),
            Sized::Quoted => {
                let max = size.max.saturating_mul(2).saturating_add(2);
                (cost, Some(Range { min: size.min.saturating_add(2), max }))
            }
            Sized::Affix => (self.size_or_unknown(&call.args[0]).times(factor), None),
            Sized::Split => {
                let most = match call.args.get(1).map(|arg| &arg.node) {
                    Some(Node::Literal(Literal::Int(most))) => u64::try_from(*most).unwrap_or(u64::MAX),
                    _ => size.max,
                };
                (cost, Some(Range { min: 0, max: most }))
            }
            Sized::Replaced => {
                let [old, new, ..] = call.args.as_slice() else { return (cost, None) };
                let (old, new) = (self.size_or_unknown(old), self.size_or_unknown(new));
                (cost, Some(replaced(size, old, new)))
            }
        }
    }

    fn walked(&mut self, call: &'e Call) -> Guess {
        let Some(target) = &call.target else { return (Range::fixed(1), None) };
        let size = self.size_or_unknown(target);
        let Type::List(item) = &target.of else { return (size.times(WALK), None) };
        let mut each = Range::fixed(1);
        if matches!(**item, Type::String | Type::Bytes) {
            each = each.add(self.item_size(target).times(WALK));
        }
        (size.multiply(each), None)
    }

    fn joined(&mut self, call: &'e Call) -> Guess {
        let Some(target) = &call.target else { return (Range::fixed(1), None) };
        let count = self.size_or_unknown(target);
        let mut size = count.multiply(self.item_size(target));
        if let Some(separator) = call.args.first() {
            let between = Range { min: count.min.saturating_sub(1), max: count.max.saturating_sub(1) };
            size = size.add(self.size_or_unknown(separator).multiply(between));
        }
        (size.times(WALK), Some(size))
    }

    fn compared(&mut self, call: &'e Call) -> Guess {
        let [one, other] = call.args.as_slice() else { return (Range::fixed(1), None) };
        let plain = |of: &Type| matches!(of, Type::Opaque(name) if *name != "kubernetes.URL");
        if plain(&one.of) && one.of == other.of {
            return (Range::fixed(1), None);
        }
        let by_size = |id: &&str| {
            ["equals", "not_equals"].contains(id) || id.ends_with("_string") || id.ends_with("_bytes")
        };
        let mut cost: Option<Range> = None;
        for id in &call.overloads {
            let own = if by_size(id) {
                let max = self.size_or_unknown(one).max.min(self.size_or_unknown(other).max);
                Range { min: u64::from(max > 0), max }.times(WALK)
            } else {
                Range::fixed(1)
            };
            cost = Some(cost.map_or(own, |cost| cost.union(own)));
        }
        (cost.unwrap_or(Range::fixed(1)), None)
    }

    fn added(&mut self, expr: &'e Expr, call: &'e Call) -> Guess {
        let [one, other] = call.args.as_slice() else { return (Range::fixed(1), None) };
        let size = self.size_or_unknown(one).add(self.size_or_unknown(other));
        if let (Some(one), Some(other)) = (self.entry(one), self.entry(other)) {
            self.entries.insert(expr.id, one.union(other));
        }
        let texts =
            call.overloads.iter().any(|id| *id != "add_list" && ["add_string", "add_bytes"].contains(id));
        let cost = if texts { size.times(WALK) } else { Range::fixed(1) };
        (cost, Some(size))
    }
}

/// How long a text can be after replacing.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes"
)]
fn replaced(size: Range, old: Range, new: Range) -> Range {
    let share = |size: u64, each: u64| (size as f64 / each as f64).ceil() as u64;
    let (mut count, mut kept) = (Range::ZERO, Range::ZERO);
    if old.min == 0 {
        (count.max, kept.max) = (size.max.saturating_add(1), size.max);
    } else if new.max <= old.min {
        kept.max = size.max;
    } else {
        count.max = share(size.max, old.min);
    }
    if old.max == 0 {
        (count.min, kept.min) = (size.min.saturating_add(1), size.min);
    } else if old.max <= new.min {
        kept.min = size.min;
    } else {
        count.min = share(size.min, old.max);
    }
    count.multiply(new).add(kept)
}
