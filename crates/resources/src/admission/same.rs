//! Whether two specs are the same, and how they differ.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::quantity;

/// Where two values differ, a field with its old and new value at a time; empty when they do not.
///
/// What Go would leave out (null, empty lists, maps and texts) is the same as absent, and quantities are compared as
/// amounts.
pub(super) fn diff<T: Serialize + PartialEq>(old: &T, new: &T) -> String {
    if old == new {
        return String::new();
    }
    let value = |of: &T| serde_json::to_value(of).unwrap_or_default();
    let mut text = String::new();
    compare(&value(old), &value(new), "", false, &mut text);
    text
}

/// Whether two values are the same, as [`diff`] sees it.
pub(super) fn same<T: Serialize + PartialEq>(old: &T, new: &T) -> bool {
    diff(old, new).is_empty()
}

fn compare(old: &Value, new: &Value, path: &str, amounts: bool, text: &mut String) {
    match (old, new) {
        (Value::Object(old_fields), Value::Object(new_fields)) => {
            let fields: BTreeSet<_> = old_fields.keys().chain(new_fields.keys()).collect();
            for field in fields {
                let dot = if path.is_empty() { "" } else { "." };
                let amounts =
                    matches!(field.as_str(), "requests" | "limits") || (amounts && !is_structure(old));
                let at = |fields: &serde_json::Map<_, _>| fields.get(field).cloned().unwrap_or_default();
                compare(&at(old_fields), &at(new_fields), &format!("{path}{dot}{field}"), amounts, text);
            }
        }
        (Value::Array(old_items), Value::Array(new_items)) => {
            for index in 0..old_items.len().max(new_items.len()) {
                let at = |items: &[Value]| items.get(index).cloned().unwrap_or_default();
                compare(&at(old_items), &at(new_items), &format!("{path}[{index}]"), false, text);
            }
        }
        (old, new) if is_absent(old) && is_absent(new) => {}
        (Value::String(old), Value::String(new)) if amounts && quantity::same(old, new) => {}
        (old, new) if old == new => {}
        (old, new) => {
            text.push_str(&format!("{path}:\n"));
            for (sign, value) in [('-', old), ('+', new)] {
                if !is_absent(value) {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    text.push_str(&format!("\t{sign}: \"{value}\"\n"));
                }
            }
        }
    }
}

/// Whether an object holds more than plain values.
fn is_structure(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().any(|field| field.is_object() || field.is_array()))
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_absent),
        Value::Object(fields) => fields.values().all(is_absent),
        _ => false,
    }
}
