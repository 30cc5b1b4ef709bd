//! Sums, products and their likes.

use std::rc::Rc;

use crate::{
    budget::Budget,
    declared::Lists,
    eval::{Answer, Failure},
    value::{List, Text, Value, same},
};

fn whole(number: Option<i64>) -> Answer<'static> {
    number.map(Value::Int).ok_or_else(|| Failure::error("integer overflow"))
}

fn unsigned(number: Option<u64>) -> Answer<'static> {
    number.map(Value::Uint).ok_or_else(|| Failure::error("unsigned integer overflow"))
}

fn duration(duration: Option<jiff::SignedDuration>) -> Answer<'static> {
    duration.map(Value::Duration).ok_or_else(|| Failure::error("duration overflow"))
}

fn timestamp<E>(timestamp: Result<jiff::Timestamp, E>) -> Answer<'static> {
    timestamp.map(Value::Timestamp).map_err(|_| Failure::error("timestamp overflow"))
}

pub(crate) fn add<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [one, other] = args else { return Err(Failure::no_overload()) };
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => whole(one.checked_add(*other)),
        (Value::Uint(one), Value::Uint(other)) => unsigned(one.checked_add(*other)),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(one + other)),
        (Value::String(one), Value::String(other)) => {
            budget.make(one.len() + other.len())?;
            Ok(Value::String(Text::Own([&**one, &**other].concat().into())))
        }
        (Value::Bytes(one), Value::Bytes(other)) => {
            budget.make(one.len() + other.len())?;
            Ok(Value::Bytes([&**one, &**other].concat().into()))
        }
        (Value::Duration(one), Value::Duration(other)) => duration(one.checked_add(*other)),
        (Value::Timestamp(one), Value::Duration(other)) | (Value::Duration(other), Value::Timestamp(one)) => {
            timestamp(one.checked_add(*other))
        }
        (Value::List(one), Value::List(other)) if *one.lists() == Lists::Atomic => {
            Ok(Value::List(List::joined(one.clone(), other.clone())))
        }
        (Value::List(one), Value::List(other)) => unite(one, other, budget),
        _ => Err(Failure::no_overload()),
    }
}

/// Two lists whose items are known by themselves or by keys: what is in both comes once, as the second has it.
fn unite<'v>(one: &List<'v>, other: &List<'v>, budget: &mut Budget) -> Answer<'v> {
    budget.make((one.len() + other.len()) * size_of::<Value<'_>>())?;
    let mut all = one.items().collect::<Result<Vec<_>, _>>()?;
    for item in other.items() {
        let item = item?;
        let mut place = None;
        for (at, known) in all.iter().enumerate() {
            if is_alike(known, &item, one.lists(), budget)? {
                place = Some(at);
                break;
            }
        }
        match place {
            Some(at) => all[at] = item,
            None => all.push(item),
        }
    }
    Ok(Value::List(List::Own(Rc::new(all))))
}

fn is_alike<'v>(
    one: &Value<'v>,
    other: &Value<'v>,
    lists: &Lists,
    budget: &mut Budget,
) -> Result<bool, Failure> {
    let Lists::Map(keys) = lists else { return same(one, other, budget) };
    let (Value::Map(one), Value::Map(other)) = (one, other) else { return Ok(false) };
    for key in keys {
        let fits = match (one.field(key), other.field(key)) {
            (Some(one), Some(other)) => same(&one?, &other?, budget)?,
            (None, None) => true,
            _ => false,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) fn subtract<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Int(one), Value::Int(other)] => whole(one.checked_sub(*other)),
        [Value::Uint(one), Value::Uint(other)] => unsigned(one.checked_sub(*other)),
        [Value::Double(one), Value::Double(other)] => Ok(Value::Double(one - other)),
        [Value::Duration(one), Value::Duration(other)] => duration(one.checked_sub(*other)),
        [Value::Timestamp(one), Value::Duration(other)] => timestamp(one.checked_sub(*other)),
        [Value::Timestamp(one), Value::Timestamp(other)] => Ok(Value::Duration(one.duration_since(*other))),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn multiply<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Int(one), Value::Int(other)] => whole(one.checked_mul(*other)),
        [Value::Uint(one), Value::Uint(other)] => unsigned(one.checked_mul(*other)),
        [Value::Double(one), Value::Double(other)] => Ok(Value::Double(one * other)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn divide<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            Err(Failure::error("division by zero"))
        }
        [Value::Int(one), Value::Int(other)] => whole(one.checked_div(*other)),
        [Value::Uint(one), Value::Uint(other)] => unsigned(one.checked_div(*other)),
        [Value::Double(one), Value::Double(other)] => Ok(Value::Double(one / other)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn modulo<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            Err(Failure::error("modulus by zero"))
        }
        [Value::Int(one), Value::Int(other)] => whole(one.checked_rem(*other)),
        [Value::Uint(one), Value::Uint(other)] => unsigned(one.checked_rem(*other)),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn negate<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Int(number)] => whole(number.checked_neg()),
        [Value::Double(number)] => Ok(Value::Double(-number)),
        _ => Err(Failure::no_overload()),
    }
}
