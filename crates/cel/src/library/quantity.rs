//! Amounts, `1.5Gi` (upstream: apiserver, `library/quantity.go`; apimachinery, `api/resource`).

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Own, Value},
};

/// An amount, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const ONE: i128 = 1_000_000_000;

impl Quantity {
    /// Reads an amount; a part of a billionth counts as one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') {
            return None;
        }
        let (factor, divisor) = scale(suffix)?;
        // More digits than these are past every amount, or past every part of one.
        const DIGITS_MAX: usize = 36;
        if whole.trim_start_matches('0').len() > DIGITS_MAX {
            return None;
        }
        let digits: String = whole.trim_start_matches('0').to_owned() + part;
        let kept = &digits[..digits.len().min(DIGITS_MAX)];
        let lost = digits.len() - kept.len();
        let digits: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        let places = part.len().checked_sub(lost)?;
        let divisor = 10_i128.checked_pow(u32::try_from(places).ok()?)?.checked_mul(divisor)?;
        let above = digits.checked_mul(factor)?;
        let more = i128::from(above % divisor != 0);
        Some(Self(sign * (above / divisor + more)))
    }
}

/// By what a number is multiplied for billionths, and by what divided.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((ONE * 1024_i128.pow(power), 1));
    let decimal = |power: i32| {
        let factor = 10_i128.checked_pow(power.unsigned_abs())?;
        if power >= 0 { Some((ONE.checked_mul(factor)?, 1)) } else { Some((ONE, factor)) }
    };
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        other => decimal(other.strip_prefix(['e', 'E'])?.parse().ok()?),
    }
}

fn read<'a>(value: Option<&'a Value<'_>>) -> Result<&'a Quantity, Failure> {
    match value {
        Some(Value::Own(own)) => match &**own {
            Own::Quantity(quantity) => Ok(quantity),
            _ => Err(Failure::no_overload()),
        },
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn quantity<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    let wrong = || {
        Failure::error(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
    };
    Ok(Value::own(Own::Quantity(Quantity::read(text).ok_or_else(wrong)?)))
}

pub(crate) fn is_quantity<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    Ok(Value::Bool(Quantity::read(text).is_some()))
}

pub(crate) fn sign<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Int(match read(args.first())?.0.signum() {
        1 => 1,
        0 => 0,
        _ => -1,
    }))
}

pub(crate) fn is_integer<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let Quantity(amount) = read(args.first())?;
    Ok(Value::Bool(amount % ONE == 0 && i64::try_from(amount / ONE).is_ok()))
}

pub(crate) fn as_integer<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let Quantity(amount) = read(args.first())?;
    let whole = i64::try_from(amount / ONE).ok().filter(|_| amount % ONE == 0);
    whole.map(Value::Int).ok_or_else(|| Failure::error("cannot convert value to integer"))
}

#[allow(clippy::cast_precision_loss, reason = "that is what is asked for")]
pub(crate) fn as_approximate_float<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Double(read(args.first())?.0 as f64 / ONE as f64))
}

fn other(args: &[Value<'_>]) -> Result<i128, Failure> {
    match args.get(1) {
        Some(Value::Int(number)) => Ok(i128::from(*number) * ONE),
        other => read(other).map(|quantity| quantity.0),
    }
}

fn result<'v>(amount: Option<i128>) -> Answer<'v> {
    let amount = amount.ok_or_else(|| Failure::error("quantity overflow"))?;
    Ok(Value::own(Own::Quantity(Quantity(amount))))
}

pub(crate) fn add<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    result(read(args.first())?.0.checked_add(other(args)?))
}

pub(crate) fn sub<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    result(read(args.first())?.0.checked_sub(other(args)?))
}
