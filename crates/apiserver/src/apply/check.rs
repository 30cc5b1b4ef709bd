//! What is wrong with a configuration before anything is compared (upstream: structured-merge-diff, `typed`).

use std::fmt::{self, Display};

use resources::{Complaints, PATH_BYTES_MAX, shortened};
use serde_json::Value;

use super::{
    elements::{self, KeyError},
    field_set::Element,
};
use crate::schema::{Form, Place, Scalar};

/// The faults of a configuration, each as `.path: what is wrong`; of very many only the first.
pub(super) fn faults(configuration: &Value, place: Place<'_>) -> Vec<String> {
    let mut faults = Complaints::default();
    look(configuration, place, &At::Whole, &mut faults);
    faults.into_kept()
}

/// Where a value is, as a chain to the configuration itself: costs nothing until it is written.
enum At<'a> {
    Whole,
    Field(&'a At<'a>, &'a str),
    Item(&'a At<'a>, &'a Element),
    Index(&'a At<'a>, usize),
}

impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Field(above, name) => write!(f, "{above}.{name}"),
            Self::Item(above, name) => write!(f, "{above}{name}"),
            Self::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

fn fault(at: &At<'_>, why: impl Display) -> String {
    format!("{}: {}", shortened(PATH_BYTES_MAX, at), shortened(PATH_BYTES_MAX, why))
}

fn look(value: &Value, place: Place<'_>, at: &At<'_>, faults: &mut Complaints<String>) {
    if value.is_null() {
        return;
    }
    if let Some(expected) = other_than(value, place.form()) {
        // Where a number should be, upstream says of which type the value is, and else the value itself.
        return faults.add(|| match place.form() {
            Form::Scalar(Scalar::Number) => {
                fault(at, format_args!("expected {expected}, got {}", go_type(value)))
            }
            _ => fault(at, format_args!("expected {expected}, got {value}")),
        });
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = At::Field(at, name);
                if place.may_have(name) {
                    look(value, place.field(name), &at, faults);
                } else {
                    faults.add(|| fault(&at, "field not declared in schema"));
                }
            }
        }
        Value::Array(items) => match elements::of(items, place) {
            Ok(names) => {
                for (name, item) in names.iter().zip(items) {
                    look(item, place.item(), &At::Item(at, name), faults);
                }
            }
            Err(KeyError::Atomic) => {
                for (index, item) in items.iter().enumerate() {
                    look(item, place.item(), &At::Index(at, index), faults);
                }
            }
            Err(error) => faults.add(|| fault(at, &error)),
        },
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
