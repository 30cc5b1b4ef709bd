//! What a schema forbids, in the words of upstream's validator (upstream: kube-openapi, `validation/validate`;
//! apiextensions-apiserver, `apiserver/validation`).

mod logic;

use std::fmt;

use serde_json::{Map, Value};

use super::{
    CustomObject, format, list,
    number::text,
    rules::Ruled,
    schema::{Checks, Form, Others, Schema},
    value::{equal, is, type_name},
};
use crate::{
    Complaints, Path,
    admission::{FieldError, FieldErrorKind, NO_FIELD, NameRule, metadata, presented, told},
    object::DynObject,
    shortened,
};

/// How long the words of one error may be: patterns and lists of choices are a definition's, and of any length.
const DETAIL_BYTES_MAX: usize = 16 << 10;

/// What is wrong with an object of a defined kind. `old`: what it replaces, whose faults it may keep.
pub fn validate(
    object: &CustomObject,
    old: Option<&CustomObject>,
    schema: &Schema,
    rules: Option<&Ruled>,
) -> Vec<FieldError> {
    let namespaced = object.kind().namespaced;
    let mut errors = Complaints::default();
    errors.extend(metadata::validate(object.metadata(), NameRule::Subdomain, namespaced));
    let value = object.to_value();
    let old = old.map(DynObject::to_value);
    let lists = list::validate(&value, schema);
    errors.append(faults_since(&value, old.as_ref(), schema));
    // Upstream: items that came twice before are not complained about.
    if old.as_ref().is_none_or(|old| list::validate(old, schema).is_empty()) {
        errors.append(lists);
    }
    let mut errors = told(errors);
    run_rules(&value, old.as_ref(), rules, &mut errors);
    errors
}

/// Runs rules, unless the object is so wrong that they could make nothing of it.
fn run_rules(value: &Value, old: Option<&Value>, rules: Option<&Ruled>, errors: &mut Vec<FieldError>) {
    let Some(rules) = rules else { return };
    let blocks = |error: &FieldError| {
        use FieldErrorKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
        matches!(error.kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
    };
    if errors.iter().any(blocks) {
        let why = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
        errors.push(FieldError {
            field: NO_FIELD.to_owned(),
            kind: FieldErrorKind::Invalid,
            bad_value: Some(Value::Null.to_string()),
            detail: why.to_owned(),
        });
    } else {
        errors.extend(told(rules.run(value, old).errors));
    }
}

/// What rules say of an object that they said of the one that it replaces, which is no reason to refuse it.
pub fn known_faults(object: &CustomObject, old: &CustomObject, rules: &Ruled) -> Vec<String> {
    rules.run(&object.to_value(), Some(&old.to_value())).warnings.into_kept()
}

/// What is wrong with the status of an object of a defined kind, when only that is written.
pub fn validate_status(
    object: &CustomObject,
    old: Option<&CustomObject>,
    schema: &Schema,
    rules: Option<&Ruled>,
) -> Vec<FieldError> {
    let mut errors = of_status(object, old, schema);
    if rules.is_some() {
        let old = old.map(DynObject::to_value);
        run_rules(&object.to_value(), old.as_ref(), rules, &mut errors);
    }
    errors
}

fn of_status(object: &CustomObject, old: Option<&CustomObject>, schema: &Schema) -> Vec<FieldError> {
    const STATUS: &str = "status";
    let (Some(status), Some(schema)) = (object.content().get(STATUS), schema.properties.get(STATUS)) else {
        return Vec::new();
    };
    let before = old.and_then(|old| old.content().get(STATUS));
    let below = |error: FieldError| match error.field.as_str() {
        NO_FIELD => FieldError { field: STATUS.to_owned(), ..error },
        field => FieldError { field: format!("{STATUS}.{field}"), ..error },
    };
    told(faults_since(status, before, schema)).into_iter().map(below).collect()
}

/// What is wrong with a value by itself.
pub(crate) fn faults(value: &Value, schema: &Schema) -> Vec<FieldError> {
    told(faults_since(value, None, schema))
}

/// What is wrong with a value. `old`: what it replaces; what was wrong with that and has not changed is not complained
/// about.
pub(super) fn faults_since(value: &Value, old: Option<&Value>, schema: &Schema) -> Complaints<FieldError> {
    if old == Some(value) {
        return Complaints::default();
    }
    let change = old.map(|old| Change { new: value, old });
    of_value(&Path::WHOLE, value, schema, change).errors
}

/// Two states of the value that is looked at; they differ.
#[derive(Clone, Copy)]
struct Change<'a> {
    new: &'a Value,
    old: &'a Value,
}

impl Change<'_> {
    /// Whether the value at a path is the one that was there before.
    fn left_alone(self, path: &Path<'_>) -> bool {
        !path.is_whole() && path.find(self.old).is_some_and(|old| path.find(self.new) == Some(old))
    }
}

/// What was found wrong, and how much was found right.
struct Outcome<'a> {
    errors: Complaints<FieldError>,
    /// Whether anything is wrong, also with what was so before.
    is_wrong: bool,
    /// How many validators had a look, which tells the alternative that was meant.
    matches: usize,
    change: Option<Change<'a>>,
}

impl<'a> Outcome<'a> {
    fn new(change: Option<Change<'a>>) -> Self {
        Self { errors: Complaints::default(), is_wrong: false, matches: 0, change }
    }

    fn merge(&mut self, other: Self) {
        self.errors.append(other.errors);
        self.is_wrong |= other.is_wrong;
        self.matches += other.matches;
    }

    /// Adds an error about the value at `path`, unless that was wrong before as well.
    fn wrong(&mut self, path: &Path<'_>, error: impl FnOnce() -> FieldError) {
        self.all_wrong(path, std::iter::once(error));
    }

    /// The same for many errors: whether the value was wrong before is looked at once.
    fn all_wrong<E: FnOnce() -> FieldError>(&mut self, path: &Path<'_>, errors: impl Iterator<Item = E>) {
        let mut errors = errors.peekable();
        if errors.peek().is_none() {
            return;
        }
        self.is_wrong = true;
        if !self.change.is_some_and(|change| change.left_alone(path)) {
            errors.for_each(|error| self.errors.add(error));
        }
    }

    fn of_kind(
        &mut self,
        path: &Path<'_>,
        kind: FieldErrorKind,
        value: impl Into<Value>,
        why: impl fmt::Display,
    ) {
        self.wrong(path, || FieldError {
            field: field(path),
            kind,
            bad_value: Some(presented(&value.into())),
            detail: shortened(DETAIL_BYTES_MAX, why),
        });
    }

    fn invalid(&mut self, path: &Path<'_>, value: impl Into<Value>, why: impl fmt::Display) {
        self.of_kind(path, FieldErrorKind::Invalid, value, format_args!("{path} in body {why}"));
    }

    fn wrong_type(&mut self, path: &Path<'_>, expected: &str, value: &Value) {
        let found = type_name(value);
        let why = format_args!("{path} in body must be of type {expected}: {found:?}");
        self.of_kind(path, FieldErrorKind::TypeInvalid, found, why);
    }
}

fn field(path: &Path<'_>) -> String {
    if path.is_whole() { NO_FIELD.to_owned() } else { path.to_string() }
}

/// Looks at a value at a path.
fn of_value<'a>(path: &Path<'_>, value: &Value, schema: &Schema, change: Option<Change<'a>>) -> Outcome<'a> {
    let mut outcome = Outcome { matches: 1, ..Outcome::new(change) };
    if value.is_null() {
        let expected = expected(schema).filter(|_| !schema.nullable);
        if let Some(expected) = expected {
            outcome.wrong_type(path, &expected, value);
        }
        return outcome;
    }
    if let Some(checks) = &schema.checks {
        outcome.merge(logic::of_alternatives(path, value, checks, change));
    }
    if !fits(value, schema) {
        outcome.wrong_type(path, &expected(schema).unwrap_or_default(), value);
        if let Some(checks) = &schema.checks {
            of_choice(path, value, checks, &mut outcome);
        }
        outcome.merge(of_parts(path, value, schema, change));
        return outcome;
    }
    outcome.matches += 1;
    if let Some(checks) = &schema.checks {
        of_checks(path, value, checks, schema.form, &mut outcome);
    }
    outcome.merge(of_parts(path, value, schema, change));
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

/// Looks at the fields of an object, or the items of a list.
fn of_parts<'a>(path: &Path<'_>, value: &Value, schema: &Schema, change: Option<Change<'a>>) -> Outcome<'a> {
    let mut outcome = Outcome::new(change);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = path.child(name);
                if let Some(schema) = schema.properties.get(name) {
                    outcome.merge(of_value(&path, value, schema, change));
                } else if let Others::Schema(schema) = &schema.others {
                    outcome.merge(of_value(&path, value, schema, change));
                }
            }
            outcome.matches += 1;
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for (at, item) in items.iter().enumerate() {
                    outcome.merge(of_value(&path.index(at), item, schema, change));
                }
            }
            outcome.matches += 1;
        }
        _ => {}
    }
    outcome
}

fn of_checks(path: &Path<'_>, value: &Value, checks: &Checks, form: Option<Form>, outcome: &mut Outcome<'_>) {
    of_choice(path, value, checks, outcome);
    match value {
        Value::String(text) => {
            of_text(path, text, checks, outcome);
            let format = checks.format.as_deref().filter(|_| form.is_none_or(|form| form == Form::String));
            if let Some(format) = format.filter(|format| !format::matches(format, text)) {
                let why = format_args!(
                    "{path} in body must be of type {format}: {}",
                    shortened(DETAIL_BYTES_MAX, format_args!("{text:?}"))
                );
                outcome.of_kind(path, FieldErrorKind::TypeInvalid, text.as_str(), why);
            }
        }
        Value::Number(_) => of_number(path, value, checks, outcome),
        Value::Array(items) => of_list(path, items, checks, outcome),
        Value::Object(fields) => of_object(path, fields, checks, outcome),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A value is one of a few.
fn of_choice(path: &Path<'_>, value: &Value, checks: &Checks, outcome: &mut Outcome<'_>) {
    let Checks { one_of_values, .. } = checks;
    if !one_of_values.is_empty() && !one_of_values.iter().any(|one| equal(one, value)) {
        let kind = FieldErrorKind::NotSupported;
        outcome.wrong(path, || {
            let quoted = one_of_values.iter().map(|one| match one {
                Value::String(text) => format!("{text:?}"),
                other => format!("{:?}", other.to_string()),
            });
            let detail = format!("supported values: {}", quoted.collect::<Vec<_>>().join(", "));
            let detail = shortened(DETAIL_BYTES_MAX, detail);
            FieldError { field: field(path), kind, bad_value: Some(presented(value)), detail }
        });
    }
}

fn of_text(path: &Path<'_>, text: &str, checks: &Checks, outcome: &mut Outcome<'_>) {
    let len = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(max) = checks.max_length.filter(|max| len > *max) {
        let bytes = if max == 1 { "byte" } else { "bytes" };
        outcome.wrong(path, || FieldError {
            field: path.to_string(),
            kind: FieldErrorKind::TooLong,
            bad_value: None,
            detail: format!("may not be more than {max} {bytes}"),
        });
    } else if let Some(min) = checks.min_length.filter(|min| len < *min) {
        outcome.invalid(path, text, format_args!("should be at least {min} chars long"));
    } else if let Some(pattern) = checks.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        outcome.invalid(path, text, format_args!("should match '{pattern}'"));
    }
}

fn of_number(path: &Path<'_>, value: &Value, checks: &Checks, outcome: &mut Outcome<'_>) {
    let Some(number) = value.as_f64() else { return };
    if let Some(factor) = checks.multiple_of.filter(|factor| *factor > 0.0) {
        let times = if factor < 1.0 { 1.0 / factor * number } else { number / factor };
        if (times - times.round()).abs() > f64::EPSILON * times.abs().max(1.0) {
            outcome.invalid(path, value.clone(), format_args!("should be a multiple of {}", text(factor)));
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

fn of_list(path: &Path<'_>, items: &[Value], checks: &Checks, outcome: &mut Outcome<'_>) {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(min) = checks.min_items.filter(|min| len < *min) {
        outcome.invalid(path, len, format_args!("should have at least {min} items"));
    }
    if let Some(max) = checks.max_items.filter(|max| len > *max) {
        outcome.of_kind(path, FieldErrorKind::TooMany, len, at_most(max));
    }
}

fn of_object(path: &Path<'_>, fields: &Map<String, Value>, checks: &Checks, outcome: &mut Outcome<'_>) {
    let len = i64::try_from(fields.len()).unwrap_or(i64::MAX);
    if let Some(min) = checks.min_properties.filter(|min| len < *min) {
        outcome.invalid(path, len, format_args!("should have at least {min} properties"));
    }
    if let Some(max) = checks.max_properties.filter(|max| len > *max) {
        outcome.of_kind(path, FieldErrorKind::TooMany, len, at_most(max));
    }
    // What changed or did not is what lacks the fields.
    let missing = checks.required.iter().filter(|name| !fields.contains_key(*name));
    outcome.all_wrong(path, missing.map(|name| move || FieldError::required(&path.child(name), "")));
}

fn at_most(max: i64) -> String {
    format!("must have at most {max} {}", if max == 1 { "item" } else { "items" })
}
