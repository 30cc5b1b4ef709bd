//! Values that come from JSON, as their declarations have them (upstream: apiserver, `common/valuesunstructured.go`).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value as Json;

use super::{List, Map, Text, Value};
use crate::{
    declared::Declared,
    eval::{Answer, Failure},
    kind::Type,
    library::time,
};

impl<'v> Value<'v> {
    /// A value of JSON.
    ///
    /// # Errors
    /// When it is another one than was declared, which validation has told before.
    pub fn of_json(json: &'v Json, declared: &'v Declared) -> Result<Self, String> {
        read(json, declared).map_err(|failure| failure.to_string())
    }
}

pub(super) fn read<'v>(json: &'v Json, declared: &'v Declared) -> Answer<'v> {
    let wrong = |what: &str| Err(Failure::error(format!("invalid data, expected {what}")));
    Ok(match (&declared.of, json) {
        (_, Json::Null) => Value::Null,
        (Type::Dyn, json) => dynamic(json),
        (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Type::Int, Json::Number(number)) => match whole(number) {
            Some(number) => Value::Int(number),
            None => return wrong("an integer"),
        },
        (Type::Double, Json::Number(number)) => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        (Type::String, Json::String(text)) => Value::String(Text::Of(text)),
        (Type::Bytes, Json::String(text)) => match BASE64_STANDARD.decode(text) {
            Ok(bytes) => Value::Bytes(bytes.into()),
            Err(_) => return wrong("base64"),
        },
        (Type::Duration, Json::String(text)) => match time::duration(text) {
            Some(duration) => Value::Duration(duration),
            None => return Err(Failure::error(format!("Invalid duration {text}"))),
        },
        (Type::Timestamp, Json::String(text)) => {
            match time::timestamp(text).or_else(|| time::date_only(text)) {
                Some(timestamp) => Value::Timestamp(timestamp),
                None => return Err(Failure::error(format!("Invalid date {text}"))),
            }
        }
        (Type::List(_), Json::Array(items)) => match &declared.items {
            Some(of) => Value::List(List::Json { items, of, lists: &declared.lists }),
            None => return wrong("no list"),
        },
        (Type::Map(..), Json::Object(fields)) => match &declared.items {
            Some(of) => Value::Map(Map::Json(fields, of)),
            None => return wrong("no map"),
        },
        (Type::Object(object), Json::Object(fields)) => Value::Map(Map::Object(fields, object)),
        (of, _) => return wrong(of.name()),
    })
}

/// A number or a text, where either may be.
fn dynamic(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match whole(number) {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(Text::Of(text)),
        // Nothing is declared of what is in it.
        Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "only what is whole and small enough")]
pub(super) fn whole(number: &serde_json::Number) -> Option<i64> {
    /// Up to here every whole number has a floating-point number of its own.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let exact = |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64);
    number.as_i64().or_else(|| number.as_f64().and_then(exact))
}
