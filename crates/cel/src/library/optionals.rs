//! Values that may be missing (upstream: cel-go, `cel/library.go`).

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{List, Value},
};

/// What an optional holds, where an item or an entry is one.
pub(crate) fn held(value: Value<'_>) -> Result<Option<Value<'_>>, Failure> {
    match value {
        Value::Optional(held) => Ok(held.map(|held| (*held).clone())),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn of<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    args.first().cloned().map(Value::some).ok_or_else(Failure::no_overload)
}

pub(crate) fn of_non_zero<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let Some(value) = args.first() else { return Err(Failure::no_overload()) };
    let zero = match value {
        Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0) | Value::Optional(None) => true,
        Value::Double(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(duration) => duration.is_zero(),
        Value::List(list) => list.len() == 0,
        Value::Map(map) => map.len() == 0,
        _ => false,
    };
    Ok(Value::optional((!zero).then(|| value.clone())))
}

pub(crate) fn none<'v>(_: &mut Budget, _: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Optional(None))
}

pub(crate) fn value<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Optional(Some(held))] => Ok((**held).clone()),
        [Value::Optional(None)] => Err(Failure::error("optional.none() dereference")),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn has_value<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Optional(held)] => Ok(Value::Bool(held.is_some())),
        _ => Err(Failure::no_overload()),
    }
}

/// The evaluation does not look at what is not needed, so nothing comes here.
pub(crate) fn or<'v>(_: &mut Budget, _: &[Value<'v>]) -> Answer<'v> {
    Err(Failure::no_overload())
}

/// As [`or`].
pub(crate) fn or_value<'v>(_: &mut Budget, _: &[Value<'v>]) -> Answer<'v> {
    Err(Failure::no_overload())
}

fn at<'v>(args: &[Value<'v>], at: impl Fn(usize) -> Option<usize>) -> Answer<'v> {
    match args {
        [Value::List(list)] => Ok(Value::optional(at(list.len()).map(|at| list.get(at)).transpose()?)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn first<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    at(args, |len| (len > 0).then_some(0))
}

pub(crate) fn last<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    at(args, |len| len.checked_sub(1))
}

pub(crate) fn unwrap<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::List(list)] = args else { return Err(Failure::no_overload()) };
    budget.make(list.len() * size_of::<Value<'_>>())?;
    let mut there = Vec::new();
    for item in list.items() {
        there.extend(held(item?)?);
    }
    Ok(Value::List(List::Own(there.into())))
}
