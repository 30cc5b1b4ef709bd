//! Fields that a schema does not have (upstream: apiextensions-apiserver, `schema/pruning`).

use serde_json::Value;

use super::schema::{Field, Schema};

/// The fields that every object has, whatever its schema says.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Takes the fields out of an object that its schema does not have; returns their paths, in order.
pub(super) fn prune(object: &mut Value, schema: &Schema) -> Vec<String> {
    let mut pruning = Pruning { path: String::new(), gone: Vec::new() };
    pruning.value(object, Some(schema), true);
    pruning.gone.sort();
    pruning.gone
}

/// As [`prune`], of a value that need not be a whole object.
pub(super) fn prune_value(value: &mut Value, schema: &Schema) {
    Pruning { path: String::new(), gone: Vec::new() }.value(value, Some(schema), schema.embedded);
}

struct Pruning {
    path: String,
    gone: Vec<String>,
}

impl Pruning {
    /// `embedded`: whether the value is an object of some kind.
    fn value(&mut self, value: &mut Value, schema: Option<&Schema>, embedded: bool) {
        let preserves = schema.is_some_and(|schema| schema.preserves);
        match value {
            Value::Object(fields) => fields.retain(|name, field| {
                if embedded && OF_EVERY_OBJECT.contains(&name.as_str()) {
                    return true;
                }
                match schema.map(|schema| schema.field(name)) {
                    Some(Some(Field::Schema(schema))) => {
                        self.below(name, |this| this.value(field, Some(schema), schema.embedded));
                    }
                    Some(Some(Field::Any)) if !preserves => {
                        self.below(name, |this| this.value(field, None, false));
                    }
                    Some(Some(Field::Any)) => {}
                    _ if preserves => {}
                    _ => {
                        self.below(name, |this| this.gone.push(this.path.clone()));
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
                let len = self.path.len();
                for (at, item) in items.iter_mut().enumerate() {
                    self.path += &format!("[{at}]");
                    self.value(item, schema, schema.is_some_and(|schema| schema.embedded));
                    self.path.truncate(len);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        if len > 0 {
            self.path.push('.');
        }
        self.path += name;
        look(self);
        self.path.truncate(len);
    }
}
