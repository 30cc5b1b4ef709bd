//! What a call costs, once its arguments are known (upstream: apiserver, `library/cost.go`; cel-go,
//! `interpreter/runtimecost.go`).

use crate::{budget::Budget, eval::Failure, functions::Price, value::Value};

/// What it costs to walk a text, for each of its characters.
pub(crate) const WALK: f64 = 0.1;
/// What a pattern's characters cost.
pub(crate) const PATTERN: f64 = 0.25;

/// So much for each of some units, rounded up.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes"
)]
pub(crate) fn times(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

pub(crate) fn of_call(price: Price, args: &[Value<'_>], budget: &mut Budget) -> Result<u64, Failure> {
    if matches!(price, Price::Nothing | Price::One) {
        return Ok(if price == Price::One { 1 } else { 0 });
    }
    let sizes = [measure(args.first(), budget)?, measure(args.get(1), budget)?];
    let size = |at: usize| sizes[at];
    Ok(match price {
        Price::Nothing | Price::One => 0,
        Price::Scan(factor, _) => times(size(0), factor),
        Price::Walk => {
            let limit = budget.left();
            args.first().map_or(Ok(0), |first| walk(first, limit, budget))?
        }
        Price::Join => {
            let separator = size(1);
            let mut sum = 0;
            if let Some(Value::List(list)) = args.first() {
                budget.step(list.len())?;
                for item in list.items() {
                    sum += item?.size() + separator;
                }
            }
            times(sum, 2.0 * WALK)
        }
        Price::Pattern => times(size(0) + 1, WALK).saturating_mul(times(size(1), PATTERN)),
        Price::Contains => times(size(0), WALK).saturating_mul(times(size(1), WALK)),
        Price::Compare if matches!(args.first(), Some(Value::Own(_))) => 1,
        Price::Compare => match (args.first(), args.get(1)) {
            (Some(Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_)), _) => 1,
            _ => times(size(0).min(size(1)), WALK),
        },
        Price::Add => match args.first() {
            Some(Value::String(_) | Value::Bytes(_)) => times(size(0) + size(1), WALK),
            _ => 1,
        },
        Price::In => match args.get(1) {
            Some(Value::List(list)) => list.len() as u64,
            _ => 1,
        },
        Price::Validate => times(size(1) + 1, WALK).saturating_mul(times(60, PATTERN)),
        Price::Block => times(32, WALK) + times(size(1), WALK) + 1,
    })
}

/// How large an argument is. To count the characters of a long text takes time of its own.
pub(crate) fn measure(value: Option<&Value<'_>>, budget: &mut Budget) -> Result<u64, Failure> {
    const BYTES_A_STEP: usize = 16;
    if let Some(text) = value.and_then(Value::text) {
        budget.step(text.len() / BYTES_A_STEP)?;
    }
    Ok(value.map_or(0, Value::size))
}

/// What it costs to walk all of a value; stops once that is past `limit`.
fn walk(value: &Value<'_>, limit: u64, budget: &mut Budget) -> Result<u64, Failure> {
    budget.step(1)?;
    Ok(match value {
        Value::String(_) | Value::Bytes(_) => times(value.size(), WALK),
        Value::List(list) => {
            let mut sum = 0;
            for item in list.items() {
                sum += walk(&item?, limit, budget)?;
                if sum > limit {
                    return Err(Failure::Cancelled);
                }
            }
            sum
        }
        Value::Map(map) => {
            let mut sum = 0;
            for key in map.keys() {
                if let Some(value) = map.find(&key) {
                    sum += walk(&key.value(), limit, budget)? + walk(&value?, limit, budget)?;
                }
                if sum > limit {
                    return Err(Failure::Cancelled);
                }
            }
            sum
        }
        _ => 1,
    })
}
