//! Whether two values are the same.

use serde_json::Value as Json;

use super::{Key, List, Map, Value};
use crate::{budget::Budget, declared::Lists, eval::Failure};

type Same = Result<bool, Failure>;

/// Whether two values are the same; numbers of different types are where they are as large.
pub(crate) fn same<'v>(one: &Value<'v>, other: &Value<'v>, budget: &mut Budget) -> Same {
    budget.step(1)?;
    Ok(match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::String(one), Value::String(other)) => **one == **other,
        (Value::Bytes(one), Value::Bytes(other)) => one == other,
        (Value::Duration(one), Value::Duration(other)) => one == other,
        (Value::Timestamp(one), Value::Timestamp(other)) => one == other,
        (Value::Type(one), Value::Type(other)) => one.name() == other.name(),
        (Value::Own(one), Value::Own(other)) => one == other,
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(one)), Value::Optional(Some(other))) => same(one, other, budget)?,
        (Value::List(one), Value::List(other)) => same_lists(one, other, budget)?,
        (Value::Map(one), Value::Map(other)) => same_maps(one, other, budget)?,
        (one, other) => compare_numbers(one, other) == Some(std::cmp::Ordering::Equal),
    })
}

/// Which of two numbers is larger; `None` where one is no number.
#[allow(
    clippy::cast_precision_loss,
    reason = "what is compared as floating-point numbers is as large as those"
)]
pub(crate) fn compare_numbers(one: &Value<'_>, other: &Value<'_>) -> Option<std::cmp::Ordering> {
    let whole = |value: &Value<'_>| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    let double = |value: &Value<'_>| match value {
        Value::Double(number) => Some(*number),
        other => whole(other).map(|number| number as f64),
    };
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => double(one)?.partial_cmp(&double(other)?),
    }
}

fn same_lists<'v>(one: &List<'v>, other: &List<'v>, budget: &mut Budget) -> Same {
    if one.len() != other.len() {
        return Ok(false);
    }
    if *one.lists() != Lists::Atomic {
        return same_but_for_order(one, other, budget);
    }
    for (one, other) in one.items().zip(other.items()) {
        if !same(&one?, &other?, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Items that are known by themselves, or by their keys, have no order.
fn same_but_for_order<'v>(one: &List<'v>, other: &List<'v>, budget: &mut Budget) -> Same {
    for item in one.items() {
        let item = item?;
        let mut found = false;
        for candidate in other.items() {
            found = same(&item, &candidate?, budget)?;
            if found {
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps<'v>(one: &Map<'v>, other: &Map<'v>, budget: &mut Budget) -> Same {
    // Also what is not declared of them counts.
    if let (Some(one), Some(other)) = (one.raw(), other.raw())
        && !same_rest(one, other, budget)?
    {
        return Ok(false);
    }
    let keys: Vec<Key<'v>> = one.keys();
    budget.step(keys.len())?;
    if keys.len() != other.len() {
        return Ok(false);
    }
    for key in keys {
        let (Some(one), Some(other)) = (one.find(&key), other.find(&key)) else { return Ok(false) };
        if !same(&one?, &other?, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_rest(
    one: &serde_json::Map<String, Json>,
    other: &serde_json::Map<String, Json>,
    budget: &mut Budget,
) -> Same {
    budget.step(one.len())?;
    Ok(one.len() == other.len() && one.keys().all(|name| other.contains_key(name)))
}
