//! Values that are not messages, and messages that JSON writes otherwise than by their fields.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::{Number, Value};

use super::{
    Reader, Unreadable, malformed,
    messages::{TABLE, Type},
    wire::{self, Field, Fields},
};
use crate::rest::json::{self, Bounds};

impl Reader {
    pub(super) fn plain(self, kind: &Type, field: Field<'_>) -> Result<Value, Unreadable> {
        Ok(match (kind, field) {
            (Type::Bool, Field::Number(number)) => Value::Bool(number != 0),
            // Negative numbers are written as large ones.
            (Type::Integer, Field::Number(number)) => Value::from(number.cast_signed()),
            (Type::Float, Field::Fixed(bits)) => float(f64::from_bits(bits))?,
            (Type::Text, field) => Value::from(wire::text(field)?),
            (Type::Bytes, Field::Bytes(bytes)) => Value::from(BASE64_STANDARD.encode(bytes)),
            (Type::Time, Field::Bytes(bytes)) => time(bytes, false)?,
            (Type::MicroTime, Field::Bytes(bytes)) => time(bytes, true)?,
            (Type::Quantity, Field::Bytes(bytes)) => match first(bytes)? {
                Some(field) => Value::from(wire::text(field)?),
                None => Value::from("0"),
            },
            (Type::IntOrString, Field::Bytes(bytes)) => int_or_string(bytes)?,
            (Type::Json, Field::Bytes(bytes)) => match first(bytes)? {
                Some(Field::Bytes(text)) if !text.is_empty() => {
                    json::read(text, Bounds { depth_max: self.depth_left, ..self.bounds })
                        .map_err(malformed)?
                        .value
                }
                _ => Value::Null,
            },
            (Type::OneOf(place), Field::Bytes(bytes)) => {
                let known = TABLE.message(*place);
                let mut there = self.message(known, bytes)?;
                let last = known.members().iter().rev().find_map(|member| there.remove(&member.name));
                last.unwrap_or(Value::Null)
            }
            _ => return Err(malformed("a field is of another type")),
        })
    }
}

/// The value of a message of one field.
fn first(bytes: &[u8]) -> Result<Option<Field<'_>>, Unreadable> {
    let mut found = None;
    for field in Fields::of(bytes) {
        if let (1, field) = field? {
            found = Some(field);
        }
    }
    Ok(found)
}

/// As Go's JSON writes it: without a fraction where there is none.
fn float(number: f64) -> Result<Value, Unreadable> {
    // Beyond this not every integer is one of the numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "it is an integer that fits")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| malformed("a number is not finite"))
}

fn time(bytes: &[u8], fine: bool) -> Result<Value, Unreadable> {
    let (mut seconds, mut nanoseconds) = (None, 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(number)) => seconds = Some(number.cast_signed()),
            (2, Field::Number(number)) => {
                nanoseconds = i32::try_from(number.cast_signed()).unwrap_or_default()
            }
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let time = Timestamp::new(seconds, if fine { nanoseconds } else { 0 })
        .map_err(|_| malformed("a time is out of range"))?;
    Ok(Value::from(if fine { format!("{time:.6}") } else { time.to_string() }))
}

/// Which of the two it is, and both.
fn int_or_string(bytes: &[u8]) -> Result<Value, Unreadable> {
    let (mut is_text, mut number, mut text) = (false, 0, "");
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(kind)) => is_text = kind != 0,
            (2, Field::Number(found)) => number = found.cast_signed(),
            (3, field) => text = wire::text(field)?,
            _ => {}
        }
    }
    Ok(if is_text { Value::from(text) } else { Value::from(number) })
}
