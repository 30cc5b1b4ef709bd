//! Truth and order.

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Value, compare_numbers, same},
};

/// Of what the evaluation does itself, since not all arguments are looked at.
pub(crate) fn unreachable<'v>(_: &mut Budget, _: &[Value<'v>]) -> Answer<'v> {
    Err(Failure::no_overload())
}

pub(crate) fn not<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Bool(value)] => Ok(Value::Bool(!value)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn equals<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [one, other] => same(one, other, budget).map(Value::Bool),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn differs<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [one, other] => same(one, other, budget).map(|same| Value::Bool(!same)),
        _ => Err(Failure::no_overload()),
    }
}

/// The order of two values; `None` where one is not a number.
///
/// # Errors
/// For values that have no order.
pub(crate) fn compare(one: &Value<'_>, other: &Value<'_>) -> Result<Option<Ordering>, Failure> {
    Ok(Some(match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::String(one), Value::String(other)) => (**one).cmp(other),
        (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
        (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
        (Value::Duration(one), Value::Duration(other)) => one.cmp(other),
        (
            Value::Int(_) | Value::Uint(_) | Value::Double(_),
            Value::Int(_) | Value::Uint(_) | Value::Double(_),
        ) => return Ok(compare_numbers(one, other)),
        _ => return Err(Failure::no_overload()),
    }))
}

fn ordered<'v>(args: &[Value<'v>], fits: impl Fn(Ordering) -> bool) -> Answer<'v> {
    match args {
        [one, other] => Ok(Value::Bool(compare(one, other)?.is_some_and(fits))),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn less<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    ordered(args, Ordering::is_lt)
}

pub(crate) fn less_or_equal<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    ordered(args, Ordering::is_le)
}

pub(crate) fn greater<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    ordered(args, Ordering::is_gt)
}

pub(crate) fn greater_or_equal<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    ordered(args, Ordering::is_ge)
}
