//! Which of two amounts or versions is larger.

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Own, Value},
};

fn compare(args: &[Value<'_>]) -> Result<Ordering, Failure> {
    let [Value::Own(one), Value::Own(other)] = args else { return Err(Failure::no_overload()) };
    match (&**one, &**other) {
        (Own::Quantity(one), Own::Quantity(other)) => Ok(one.cmp(other)),
        (Own::Semver(one), Own::Semver(other)) => Ok(one.cmp(other)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn is_greater_than<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    compare(args).map(|order| Value::Bool(order.is_gt()))
}

pub(crate) fn is_less_than<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    compare(args).map(|order| Value::Bool(order.is_lt()))
}

pub(crate) fn compare_to<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    compare(args).map(|order| Value::Int(order as i64))
}
