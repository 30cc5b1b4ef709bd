//! Numbers of JSON, which do not say whether they are whole.

use serde_json::{Number, Value};

/// The number as a whole one, if it is.
pub(super) fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().and_then(whole_f64))
}

/// Likewise of a floating-point number.
#[allow(clippy::cast_possible_truncation, reason = "the bounds are checked")]
pub(super) fn whole_f64(number: f64) -> Option<i64> {
    /// Up to here every whole number has a floating-point number of its own.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    (number.trunc() == number && number.abs() <= EXACT_MAX).then_some(number as i64)
}

/// Writes the whole numbers of a tree without a fraction, as Go does.
pub(super) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = whole(number) {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// A number as Go prints it in messages: a whole one without a fraction.
pub(super) fn text(number: f64) -> String {
    whole_f64(number).map_or_else(|| number.to_string(), |whole| whole.to_string())
}
