//! What is in lists and maps.

use std::collections::BTreeMap;

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Key, Map, Value, no_such_key, out_of_bounds, same},
};

/// The place that a number is, in a list.
#[allow(clippy::cast_possible_truncation, reason = "only what is whole and small")]
fn place(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
        _ => None,
    }
}

/// What is at a place or a key; `None` where nothing is.
fn look<'v>(within: &Value<'v>, key: &Value<'v>) -> Result<Option<Value<'v>>, Failure> {
    match within {
        Value::List(list) => {
            let at = place(key).ok_or_else(Failure::no_overload)?;
            let at = usize::try_from(at).ok().filter(|at| *at < list.len());
            at.map(|at| list.get(at)).transpose()
        }
        Value::Map(map) => match Key::of(key) {
            Some(key) => map.find(&key).transpose(),
            None => Ok(None),
        },
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn index<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [within, key] = args else { return Err(Failure::no_overload()) };
    match within {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(held)) => look(held, key).map(Value::optional),
        within => look(within, key)?.ok_or_else(|| match within {
            Value::List(_) => out_of_bounds(place(key).unwrap_or_default()),
            _ => no_such_key(key),
        }),
    }
}

pub(crate) fn optional_index<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [within, key] = args else { return Err(Failure::no_overload()) };
    match within {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(held)) => look(held, key).map(Value::optional),
        within => look(within, key).map(Value::optional),
    }
}

pub(crate) fn contained<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [value, Value::List(list)] => {
            for item in list.items() {
                if same(&item?, value, budget)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(Key::of(key).is_some_and(|key| map.find(&key).is_some()))),
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn size<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [value @ (Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_))] => {
            let size = crate::price::measure(Some(value), budget)?;
            Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
        }
        _ => Err(Failure::no_overload()),
    }
}

/// Adds the entries of one map to another that has none of them.
pub(crate) fn insert_all<'v>(into: &mut BTreeMap<Key<'v>, Value<'v>>, more: &Map<'v>) -> Result<(), Failure> {
    for key in more.keys() {
        let Some(value) = more.find(&key) else { continue };
        let value = value?;
        let name = key.value();
        if into.insert(key, value).is_some() {
            let name = name.text().map_or_else(|| format!("{name:?}"), str::to_owned);
            return Err(Failure::error(format!("insert failed: key {name} already exists")));
        }
    }
    Ok(())
}

pub(crate) fn insert<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match args {
        [Value::Map(Map::Own(one)), Value::Map(more)] => {
            budget.make((one.len() + more.len()) * 3 * size_of::<Value<'_>>())?;
            let mut all = (**one).clone();
            insert_all(&mut all, more)?;
            Ok(Value::Map(Map::Own(all.into())))
        }
        _ => Err(Failure::no_overload()),
    }
}
