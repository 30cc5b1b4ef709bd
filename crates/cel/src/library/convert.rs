//! From one type to another.

use super::time;
use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    kind::Type,
    value::{Own, Value},
};

fn one<'a, 'v>(args: &'a [Value<'v>]) -> Result<&'a Value<'v>, Failure> {
    args.first().ok_or_else(Failure::no_overload)
}

fn cannot(from: &Value<'_>, to: &str) -> Failure {
    Failure::error(format!("type conversion error from '{}' to '{to}'", from.of().name()))
}

pub(crate) fn of<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Type(match one(args)?.of() {
        // Only its name is compared.
        Type::Optional(_) => Type::optional(Type::Dyn),
        of => of,
    }))
}

pub(crate) fn dynamic<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    one(args).cloned()
}

pub(crate) fn to_bool<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match one(args)? {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        value @ Value::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(cannot(value, "bool")),
        },
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn to_bytes<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    match one(args)? {
        Value::Bytes(bytes) => Ok(Value::Bytes(bytes.clone())),
        Value::String(text) => {
            budget.make(text.len())?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        _ => Err(Failure::no_overload()),
    }
}

#[allow(clippy::cast_precision_loss, reason = "that is what is asked for")]
pub(crate) fn to_double<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Double(match one(args)? {
        Value::Double(number) => *number,
        Value::Int(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        value @ Value::String(text) => {
            text.trim_start_matches('+').parse().map_err(|_| cannot(value, "double"))?
        }
        _ => return Err(Failure::no_overload()),
    }))
}

#[allow(clippy::cast_possible_truncation, reason = "the bounds are checked")]
pub(crate) fn to_int<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let overflow = || Failure::error("integer overflow");
    Ok(Value::Int(match one(args)? {
        Value::Int(number) => *number,
        Value::Uint(number) => i64::try_from(*number).map_err(|_| overflow())?,
        Value::Double(number) if number.abs() < 9.223_372_036_854_775e18 => *number as i64,
        Value::Double(_) => return Err(overflow()),
        value @ Value::String(text) => text.parse().map_err(|_| cannot(value, "int"))?,
        Value::Timestamp(time) => time.as_second(),
        Value::Duration(duration) => i64::try_from(duration.as_nanos()).map_err(|_| overflow())?,
        _ => return Err(Failure::no_overload()),
    }))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked")]
pub(crate) fn to_uint<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let overflow = || Failure::error("unsigned integer overflow");
    Ok(Value::Uint(match one(args)? {
        Value::Uint(number) => *number,
        Value::Int(number) => u64::try_from(*number).map_err(|_| overflow())?,
        Value::Double(number) if (0.0..1.844_674_407_370_955e19).contains(number) => *number as u64,
        Value::Double(_) => return Err(overflow()),
        value @ Value::String(text) => text.parse().map_err(|_| cannot(value, "uint"))?,
        _ => return Err(Failure::no_overload()),
    }))
}

pub(crate) fn to_duration<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Duration(match one(args)? {
        Value::Duration(duration) => *duration,
        Value::Int(nanos) => jiff::SignedDuration::from_nanos(*nanos),
        value @ Value::String(text) => time::duration(text).ok_or_else(|| cannot(value, "duration"))?,
        _ => return Err(Failure::no_overload()),
    }))
}

pub(crate) fn to_timestamp<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Timestamp(match one(args)? {
        Value::Timestamp(time) => *time,
        Value::Int(seconds) => {
            time::of_seconds(*seconds).ok_or_else(|| Failure::error("timestamp overflow"))?
        }
        value @ Value::String(text) => time::timestamp(text).ok_or_else(|| cannot(value, "timestamp"))?,
        _ => return Err(Failure::no_overload()),
    }))
}

pub(crate) fn to_string<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let value = one(args)?;
    if let Value::String(_) = value {
        return Ok(value.clone());
    }
    let text = text(value).ok_or_else(|| match value {
        Value::Bytes(_) => Failure::error("invalid UTF-8 in bytes, cannot convert to string"),
        _ => Failure::no_overload(),
    })?;
    budget.make(text.len())?;
    Ok(text.into())
}

/// A value without parts as text.
pub(super) fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => double(*number),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.to_owned(),
        Value::Duration(duration) => seconds(*duration),
        Value::Timestamp(time) => time.to_string(),
        Value::Type(of) => of.name().to_owned(),
        Value::Own(own) => match &**own {
            Own::Ip(address) => address.to_string(),
            Own::Cidr(block) => block.to_string(),
            _ => return None,
        },
        _ => return None,
    })
}

/// As Go's `%g` has it.
fn double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) =
                exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// A duration as seconds, `90s`.
fn seconds(duration: jiff::SignedDuration) -> String {
    let nanos = duration.as_nanos();
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}s");
    }
    let part = format!("{part:09}");
    format!("{sign}{whole}.{}s", part.trim_end_matches('0'))
}
