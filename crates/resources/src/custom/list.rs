//! Items of lists that may not come twice (upstream: apiextensions-apiserver, `schema/listtype`).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::schema::{List, Others, Schema};
use crate::{Complaints, Path, admission::FieldError};

/// What comes twice in the lists of an object.
pub(super) fn validate(object: &Value, schema: &Schema) -> Complaints<FieldError> {
    let mut errors = Complaints::default();
    look(&Path::WHOLE, object, schema, &mut errors);
    errors
}

fn look(path: &Path<'_>, value: &Value, schema: &Schema, errors: &mut Complaints<FieldError>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = schema.properties.get(name) {
                    look(&path.child(name), value, schema, errors);
                } else if let Others::Schema(schema) = &schema.others {
                    look(&path.key(name), value, schema, errors);
                }
            }
        }
        Value::Array(items) => {
            twice(path, items, schema, errors);
            if let Some(schema) = &schema.items {
                for (at, item) in items.iter().enumerate() {
                    look(&path.index(at), item, schema, errors);
                }
            }
        }
        _ => {}
    }
}

fn twice(path: &Path<'_>, items: &[Value], schema: &Schema, errors: &mut Complaints<FieldError>) {
    let keys: Vec<Value> = match &schema.list {
        List::Atomic => return,
        List::Set => items.to_vec(),
        List::Map(names) => {
            if let Some(at) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
                let why = "must be an object for an array of list-type map";
                return errors.add(|| FieldError::invalid(&path.index(at), &items[at], why));
            }
            items.iter().map(|item| key(item, names)).collect()
        }
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (at, key) in keys.into_iter().enumerate() {
        let times = seen.entry(key.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            errors.add(|| FieldError::duplicate(&path.index(at), &key));
        }
    }
}

/// The fields of an item that it is known by.
pub(super) fn key(item: &Value, names: &[String]) -> Value {
    let known = names.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    Value::Object(known.collect::<Map<_, _>>())
}
