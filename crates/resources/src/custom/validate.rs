//! What a schema forbids, in the words of upstream's validator (upstream: kube-openapi, `validation/validate`;
//! apiextensions-apiserver, `apiserver/validation`).

mod logic;

use serde_json::{Map, Value};

use super::{
    CustomObject, format, list,
    number::text,
    schema::{Checks, Form, Others, Schema},
    value::{equal, is, type_name},
};
use crate::{
    admission::{FieldError, FieldErrorKind, NameRule, metadata},
    object::DynObject,
};

/// The field of an error that is of no certain one.
const NO_FIELD: &str = "<nil>";

/// What is wrong with an object of a defined kind. `old`: what it replaces, whose faults it may keep.
pub fn validate(object: &CustomObject, old: Option<&CustomObject>, schema: &Schema) -> Vec<FieldError> {
    let namespaced = object.kind().namespaced;
    let mut errors = metadata::validate(object.metadata(), NameRule::Subdomain, namespaced);
    let value = object.to_value();
    let found = of_value("", &value, schema).errors;
    let lists = list::validate(&value, schema);
    match old.map(DynObject::to_value) {
        None => {
            errors.extend(found);
            errors.extend(lists);
        }
        // Upstream: a value that was wrong before and has not changed is not complained about.
        Some(old) => {
            errors.extend(found.into_iter().filter(|error| !is_unchanged(error, &value, &old)));
            if list::validate(&old, schema).is_empty() {
                errors.extend(lists);
            }
        }
    }
    errors
}

/// What is wrong with the status of an object of a defined kind, when only that is written.
pub fn validate_status(
    object: &CustomObject,
    old: Option<&CustomObject>,
    schema: &Schema,
) -> Vec<FieldError> {
    const STATUS: &str = "status";
    let (Some(status), Some(schema)) = (object.content().get(STATUS), schema.properties.get(STATUS)) else {
        return Vec::new();
    };
    let before = old.and_then(|old| old.content().get(STATUS));
    let found = of_value("", status, schema).errors.into_iter();
    let found = found.filter(|error| before.is_none_or(|before| !is_unchanged(error, status, before)));
    let below = |error: FieldError| match error.field.as_str() {
        NO_FIELD => FieldError { field: STATUS.to_owned(), ..error },
        field => FieldError { field: format!("{STATUS}.{field}"), ..error },
    };
    found.map(below).collect()
}

/// What is wrong with a value by itself.
pub(crate) fn faults(value: &Value, schema: &Schema) -> Vec<FieldError> {
    of_value("", value, schema).errors
}

/// Whether the value that an error is about is the one that was there before.
fn is_unchanged(error: &FieldError, new: &Value, old: &Value) -> bool {
    let required = error.kind == FieldErrorKind::Required;
    let path =
        if required { error.field.rsplit_once('.').map_or("", |(path, _)| path) } else { &error.field };
    if path == NO_FIELD {
        return false;
    }
    let at = |value: &Value| {
        let mut here = value;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            here = match (here, step.strip_suffix(']').and_then(|index| index.parse::<usize>().ok())) {
                (Value::Array(items), Some(index)) => items.get(index)?,
                (here, _) => here.get(step.trim_end_matches(']'))?,
            };
        }
        Some(here.clone())
    };
    matches!((at(new), at(old)), (Some(new), Some(old)) if new == old)
}

/// What was found wrong, and how much was found right.
#[derive(Default)]
struct Outcome {
    errors: Vec<FieldError>,
    /// How many validators had a look, which tells the alternative that was meant.
    matches: usize,
}

impl Outcome {
    fn merge(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.matches += other.matches;
    }

    fn wrong(&mut self, path: &str, kind: FieldErrorKind, value: impl Into<Value>, why: impl Into<String>) {
        let field = if path.is_empty() { NO_FIELD } else { path };
        let (bad_value, detail) = (Some(value.into().to_string()), why.into());
        self.errors.push(FieldError { field: field.to_owned(), kind, bad_value, detail });
    }

    fn invalid(&mut self, path: &str, value: impl Into<Value>, why: impl std::fmt::Display) {
        self.wrong(path, FieldErrorKind::Invalid, value, format!("{path} in body {why}"));
    }
}

/// Looks at a value at a path.
fn of_value(path: &str, value: &Value, schema: &Schema) -> Outcome {
    let mut outcome = Outcome { errors: Vec::new(), matches: 1 };
    if value.is_null() {
        let expected = expected(schema).filter(|_| !schema.nullable);
        if let Some(expected) = expected {
            wrong_type(path, &expected, value, &mut outcome);
        }
        return outcome;
    }
    if let Some(checks) = &schema.checks {
        outcome.merge(logic::of_alternatives(path, value, checks));
    }
    if !fits(value, schema) {
        wrong_type(path, &expected(schema).unwrap_or_default(), value, &mut outcome);
        if let Some(checks) = &schema.checks {
            of_choice(path, value, checks, &mut outcome);
        }
        outcome.merge(of_parts(path, value, schema));
        return outcome;
    }
    outcome.matches += 1;
    if let Some(checks) = &schema.checks {
        of_checks(path, value, checks, schema.form, &mut outcome);
    }
    outcome.merge(of_parts(path, value, schema));
    outcome
}

fn expected(schema: &Schema) -> Option<String> {
    if schema.int_or_string {
        return Some("integer,string".into());
    }
    schema.form.map(|form| form.name().to_owned())
}

fn fits(value: &Value, schema: &Schema) -> bool {
    if schema.int_or_string {
        return is(value, Form::Integer) || is(value, Form::String);
    }
    schema.form.is_none_or(|form| is(value, form))
}

fn wrong_type(path: &str, expected: &str, value: &Value, outcome: &mut Outcome) {
    let found = type_name(value);
    let why = format!("{path} in body must be of type {expected}: {found:?}");
    outcome.wrong(path, FieldErrorKind::TypeInvalid, found, why);
}

/// Looks at the fields of an object, or the items of a list.
fn of_parts(path: &str, value: &Value, schema: &Schema) -> Outcome {
    let mut outcome = Outcome::default();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let child = || if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if let Some(schema) = schema.properties.get(name) {
                    outcome.merge(of_value(&child(), value, schema));
                } else if let Others::Schema(schema) = &schema.others {
                    outcome.merge(of_value(&child(), value, schema));
                }
            }
            outcome.matches += 1;
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for (at, item) in items.iter().enumerate() {
                    outcome.merge(of_value(&format!("{path}[{at}]"), item, schema));
                }
            }
            outcome.matches += 1;
        }
        _ => {}
    }
    outcome
}

fn of_checks(path: &str, value: &Value, checks: &Checks, form: Option<Form>, outcome: &mut Outcome) {
    of_choice(path, value, checks, outcome);
    match value {
        Value::String(text) => {
            of_text(path, text, checks, outcome);
            let format = checks.format.as_deref().filter(|_| form.is_none_or(|form| form == Form::String));
            if let Some(format) = format.filter(|format| !format::matches(format, text)) {
                outcome.wrong(
                    path,
                    FieldErrorKind::TypeInvalid,
                    text.as_str(),
                    format!("{path} in body must be of type {format}: {text:?}"),
                );
            }
        }
        Value::Number(_) => of_number(path, value, checks, outcome),
        Value::Array(items) => of_list(path, items, checks, outcome),
        Value::Object(fields) => of_object(path, fields, checks, outcome),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A value is one of a few.
fn of_choice(path: &str, value: &Value, checks: &Checks, outcome: &mut Outcome) {
    let Checks { one_of_values, .. } = checks;
    if !one_of_values.is_empty() && !one_of_values.iter().any(|one| equal(one, value)) {
        let quoted = one_of_values.iter().map(|one| match one {
            Value::String(text) => format!("{text:?}"),
            other => format!("{:?}", other.to_string()),
        });
        let detail = format!("supported values: {}", quoted.collect::<Vec<_>>().join(", "));
        outcome.wrong(path, FieldErrorKind::NotSupported, value.clone(), detail);
    }
}

fn of_text(path: &str, text: &str, checks: &Checks, outcome: &mut Outcome) {
    let len = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(max) = checks.max_length.filter(|max| len > *max) {
        let bytes = if max == 1 { "byte" } else { "bytes" };
        outcome.errors.push(FieldError {
            field: path.to_owned(),
            kind: FieldErrorKind::TooLong,
            bad_value: None,
            detail: format!("may not be more than {max} {bytes}"),
        });
    } else if let Some(min) = checks.min_length.filter(|min| len < *min) {
        outcome.invalid(path, text, format!("should be at least {min} chars long"));
    } else if let Some(pattern) = checks.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        outcome.invalid(path, text, format!("should match '{pattern}'"));
    }
}

fn of_number(path: &str, value: &Value, checks: &Checks, outcome: &mut Outcome) {
    let Some(number) = value.as_f64() else { return };
    if let Some(factor) = checks.multiple_of.filter(|factor| *factor > 0.0) {
        let times = if factor < 1.0 { 1.0 / factor * number } else { number / factor };
        if (times - times.round()).abs() > f64::EPSILON * times.abs().max(1.0) {
            outcome.invalid(path, value.clone(), format!("should be a multiple of {}", text(factor)));
        }
    }
    if let Some(min) = checks.minimum {
        let (exclusive, why) = if checks.exclusive_minimum {
            (true, format!("should be greater than {}", text(min)))
        } else {
            (false, format!("should be greater than or equal to {}", text(min)))
        };
        if number < min || (exclusive && number <= min) {
            outcome.invalid(path, value.clone(), why);
        }
    }
    if let Some(max) = checks.maximum {
        let (exclusive, why) = if checks.exclusive_maximum {
            (true, format!("should be less than {}", text(max)))
        } else {
            (false, format!("should be less than or equal to {}", text(max)))
        };
        if number > max || (exclusive && number >= max) {
            outcome.invalid(path, value.clone(), why);
        }
    }
}

fn of_list(path: &str, items: &[Value], checks: &Checks, outcome: &mut Outcome) {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(min) = checks.min_items.filter(|min| len < *min) {
        outcome.invalid(path, len, format!("should have at least {min} items"));
    }
    if let Some(max) = checks.max_items.filter(|max| len > *max) {
        outcome.wrong(path, FieldErrorKind::TooMany, len, at_most(max));
    }
}

fn of_object(path: &str, fields: &Map<String, Value>, checks: &Checks, outcome: &mut Outcome) {
    let len = i64::try_from(fields.len()).unwrap_or(i64::MAX);
    if let Some(min) = checks.min_properties.filter(|min| len < *min) {
        outcome.invalid(path, len, format!("should have at least {min} properties"));
    }
    if let Some(max) = checks.max_properties.filter(|max| len > *max) {
        outcome.wrong(path, FieldErrorKind::TooMany, len, at_most(max));
    }
    for name in checks.required.iter().filter(|name| !fields.contains_key(*name)) {
        let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let kind = FieldErrorKind::Required;
        outcome.errors.push(FieldError { field, kind, bad_value: None, detail: String::new() });
    }
}

fn at_most(max: i64) -> String {
    format!("must have at most {max} {}", if max == 1 { "item" } else { "items" })
}
