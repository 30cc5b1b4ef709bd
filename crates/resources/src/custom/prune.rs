//! Fields that a schema does not have (upstream: apiextensions-apiserver, `schema/pruning`).

use serde_json::Value;

use super::schema::{Field, Schema};
use crate::{Complaints, Path};

/// The fields that every object has, whatever its schema says.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Takes the fields out of a value that its schema does not have. Their paths are noted where somebody wants to know
/// them. `embedded`: whether the value is an object of some kind.
pub(super) fn prune(
    value: &mut Value,
    schema: &Schema,
    embedded: bool,
    unknown: Option<&mut Complaints<String>>,
) {
    Pruning { unknown }.value(value, &Path::WHOLE, Some(schema), embedded);
}

struct Pruning<'a> {
    unknown: Option<&'a mut Complaints<String>>,
}

impl Pruning<'_> {
    fn value(&mut self, value: &mut Value, path: &Path<'_>, schema: Option<&Schema>, embedded: bool) {
        let preserves = schema.is_some_and(|schema| schema.preserves);
        match value {
            Value::Object(fields) => fields.retain(|name, field| {
                if embedded && OF_EVERY_OBJECT.contains(&name.as_str()) {
                    return true;
                }
                let path = path.child(name);
                match schema.map(|schema| schema.field(name)) {
                    Some(Some(Field::Schema(schema))) => {
                        self.value(field, &path, Some(schema), schema.embedded);
                    }
                    Some(Some(Field::Any)) if !preserves => self.value(field, &path, None, false),
                    Some(Some(Field::Any)) => {}
                    _ if preserves => {}
                    _ => {
                        if let Some(unknown) = &mut self.unknown {
                            unknown.add(|| path.to_string());
                        }
                        return false;
                    }
                }
                true
            }),
            Value::Array(items) => {
                let schema = schema.and_then(|schema| schema.items.as_deref());
                // What is in a list that is kept as it is, is too.
                if preserves && schema.is_none() {
                    return;
                }
                for (at, item) in items.iter_mut().enumerate() {
                    let embedded = schema.is_some_and(|schema| schema.embedded);
                    self.value(item, &path.index(at), schema, embedded);
                }
            }
            _ => {}
        }
    }
}
