//! What is wrong with a configuration before anything is compared (upstream: structured-merge-diff, `typed`).

use serde_json::Value;

use super::elements::{self, Unnamed};
use crate::schema::{Form, Place, Scalar};

/// The faults of a configuration, each as `.path: what is wrong`.
pub(super) fn faults(configuration: &Value, place: Place<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    look(configuration, place, &mut String::new(), &mut faults);
    faults
}

fn look(value: &Value, place: Place<'_>, path: &mut String, faults: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    if let Some(expected) = other_than(value, place.form()) {
        let got = match (place.form(), value) {
            // Where a number should be, upstream says of which type the value is, and else the value itself.
            (Form::Scalar(Scalar::Number), value) => go_type(value).to_owned(),
            (_, value) => value.to_string(),
        };
        return faults.push(format!("{path}: expected {expected}, got {got}"));
    }
    let len = path.len();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push('.');
                path.push_str(name);
                if place.may_have(name) {
                    look(value, place.field(name), path, faults);
                } else {
                    faults.push(format!("{path}: field not declared in schema"));
                }
                path.truncate(len);
            }
        }
        Value::Array(items) => {
            let names: Vec<String> = match elements::of(items, place) {
                Ok(names) => names.iter().map(ToString::to_string).collect(),
                Err(Unnamed::Atomic) => (0..items.len()).map(|at| format!("[{at}]")).collect(),
                Err(unnamed) => return faults.push(format!("{path}: {unnamed}")),
            };
            for (name, item) in names.iter().zip(items) {
                path.push_str(name);
                look(item, place.item(), path, faults);
                path.truncate(len);
            }
        }
        _ => {}
    }
}

/// What Go calls the type of a value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// What should be there instead of this value.
fn other_than(value: &Value, form: Form) -> Option<&'static str> {
    let (fits, expected) = match form {
        Form::Anything => return None,
        Form::Object => (value.is_object(), "map"),
        Form::List => (value.is_array(), "list"),
        Form::Scalar(Scalar::Boolean) => (value.is_boolean(), "boolean"),
        Form::Scalar(Scalar::Number) => (value.is_number(), "numeric (int or float)"),
        Form::Scalar(Scalar::Text) => (value.is_string(), "string"),
        Form::Scalar(Scalar::Any) => (!value.is_object() && !value.is_array(), "scalar"),
    };
    (!fits).then_some(expected)
}
