//! Items of lists that may not come twice (upstream: apiextensions-apiserver, `schema/listtype`).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::schema::{List, Others, Schema};
use crate::admission::{FieldError, FieldErrorKind};

/// What comes twice in the lists of an object.
pub(super) fn validate(object: &Value, schema: &Schema) -> Vec<FieldError> {
    let mut errors = Vec::new();
    look("", object, schema, &mut errors);
    errors
}

fn look(path: &str, value: &Value, schema: &Schema, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = schema.properties.get(name) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    look(&path, value, schema, errors);
                } else if let Others::Schema(schema) = &schema.others {
                    look(&format!("{path}[{name}]"), value, schema, errors);
                }
            }
        }
        Value::Array(items) => {
            twice(path, items, schema, errors);
            if let Some(schema) = &schema.items {
                for (at, item) in items.iter().enumerate() {
                    look(&format!("{path}[{at}]"), item, schema, errors);
                }
            }
        }
        _ => {}
    }
}

fn twice(path: &str, items: &[Value], schema: &Schema, errors: &mut Vec<FieldError>) {
    let keys: Vec<Value> = match &schema.list {
        List::Atomic => return,
        List::Set => items.to_vec(),
        List::Map(names) => {
            if let Some(at) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
                let why = "must be an object for an array of list-type map";
                return errors.push(error(path, at, FieldErrorKind::Invalid, items[at].clone(), why));
            }
            items.iter().map(|item| key(item, names)).collect()
        }
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (at, key) in keys.into_iter().enumerate() {
        let times = seen.entry(key.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            errors.push(error(path, at, FieldErrorKind::Duplicate, key, ""));
        }
    }
}

/// The fields of an item that it is known by.
fn key(item: &Value, names: &[String]) -> Value {
    let known = names.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    Value::Object(known.collect::<Map<_, _>>())
}

fn error(path: &str, at: usize, kind: FieldErrorKind, value: Value, why: &str) -> FieldError {
    FieldError {
        field: format!("{path}[{at}]"),
        kind,
        bad_value: Some(value.to_string()),
        detail: why.to_owned(),
    }
}
