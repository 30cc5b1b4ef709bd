//! The type of a JSON value, as messages name it.

use serde_json::Value;

use super::{number::whole, schema::Form};

/// The type of a value; `null` for none.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value is of a type.
pub(super) fn is(value: &Value, form: Form) -> bool {
    match (form, value) {
        (Form::Array, Value::Array(_))
        | (Form::Boolean, Value::Bool(_))
        | (Form::Number, Value::Number(_))
        | (Form::Object, Value::Object(_))
        | (Form::String, Value::String(_)) => true,
        (Form::Integer, Value::Number(number)) => !number.is_f64() || whole(number).is_some(),
        _ => false,
    }
}

/// Whether two values are the same; 1 and 1.0 are.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}
