//! Whole lists (upstream: apiserver, `library/lists.go`; cel-go, `ext/sets.go`).

use std::cmp::Ordering;

use super::{arithmetic, logic, texts};
use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{List, Value, same},
};

fn list<'a, 'v>(args: &'a [Value<'v>]) -> Result<&'a List<'v>, Failure> {
    match args.first() {
        Some(Value::List(list)) => Ok(list),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn is_sorted<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let mut before: Option<Value<'v>> = None;
    for item in list(args)?.items() {
        let item = item?;
        if let Some(before) = &before
            && logic::compare(before, &item)? == Some(Ordering::Greater)
        {
            return Ok(Value::Bool(false));
        }
        before = Some(item);
    }
    Ok(Value::Bool(true))
}

pub(crate) fn sum<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let mut sum: Option<Value<'v>> = None;
    for item in list(args)?.items() {
        let item = item?;
        sum = Some(match sum {
            None => item,
            Some(sum) => arithmetic::add(budget, &[sum, item])?,
        });
    }
    // The type of what is not there cannot be known here; 0 equals that of every number.
    Ok(sum.unwrap_or(Value::Int(0)))
}

fn extreme<'v>(args: &[Value<'v>], name: &str, wanted: Ordering) -> Answer<'v> {
    let mut best: Option<Value<'v>> = None;
    for item in list(args)?.items() {
        let item = item?;
        let better = match &best {
            None => true,
            Some(best) => logic::compare(&item, best)? == Some(wanted),
        };
        if better {
            best = Some(item);
        }
    }
    best.ok_or_else(|| Failure::error(format!("{name} called on empty list")))
}

pub(crate) fn max<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    extreme(args, "max", Ordering::Greater)
}

pub(crate) fn min<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    extreme(args, "min", Ordering::Less)
}

fn position<'v>(args: &[Value<'v>], budget: &mut Budget, places: impl Iterator<Item = usize>) -> Answer<'v> {
    let [_, wanted] = args else { return Err(Failure::no_overload()) };
    let list = list(args)?;
    for at in places {
        if same(&list.get(at)?, wanted, budget)? {
            return Ok(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
        }
    }
    Ok(Value::Int(-1))
}

pub(crate) fn index_of<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::String(_), ..] => texts::index_of(args),
        _ => position(args, budget, 0..list(args)?.len()),
    }
}

pub(crate) fn last_index_of<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::String(_), ..] => texts::last_index_of(args),
        _ => position(args, budget, (0..list(args)?.len()).rev()),
    }
}

/// Whether all items of the first list are in the second.
fn all_within<'v>(these: &List<'v>, those: &List<'v>, budget: &mut Budget) -> Result<bool, Failure> {
    for item in these.items() {
        if !is_within(&item?, those, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_within<'v>(item: &Value<'v>, list: &List<'v>, budget: &mut Budget) -> Result<bool, Failure> {
    for candidate in list.items() {
        if same(item, &candidate?, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What comparing each with each costs.
fn pay(one: &List<'_>, other: &List<'_>, budget: &mut Budget) -> Result<(), Failure> {
    budget.charge((one.len() as u64).saturating_mul(other.len() as u64))
}

pub(crate) fn all_in<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::List(all), Value::List(some)] = args else { return Err(Failure::no_overload()) };
    pay(all, some, budget)?;
    all_within(some, all, budget).map(Value::Bool)
}

pub(crate) fn equivalent<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::List(one), Value::List(other)] = args else { return Err(Failure::no_overload()) };
    pay(one, other, budget)?;
    pay(one, other, budget)?;
    Ok(Value::Bool(all_within(one, other, budget)? && all_within(other, one, budget)?))
}

pub(crate) fn intersects<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::List(one), Value::List(other)] = args else { return Err(Failure::no_overload()) };
    pay(one, other, budget)?;
    for item in one.items() {
        if is_within(&item?, other, budget)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}
