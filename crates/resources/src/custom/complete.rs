//! From what somebody has sent to what is stored: unknown fields go, nulls go, defaults come (upstream:
//! apiextensions-apiserver, `schema/defaulting`).

use serde_json::Value;

use super::{
    prune,
    schema::{Field, Schema},
};

impl Schema {
    /// The object without the fields that the schema does not have, and with its defaults. Returns the paths of the
    /// former, in order.
    pub fn complete(&self, object: &mut Value) -> Vec<String> {
        let unknown = prune::prune(object, self);
        self.without_idle_nulls(object);
        self.set_defaults(object);
        unknown
    }

    /// Takes the fields out of an object that the schema does not have; returns their paths, in order.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(object, self)
    }

    /// As [`Schema::prune`], of a value that need not be a whole object.
    pub(crate) fn prune_value(&self, value: &mut Value) {
        prune::prune_value(value, self);
    }

    /// Nulls that are neither allowed nor stand for a default mean nothing.
    fn without_idle_nulls(&self, value: &mut Value) {
        let idle =
            |value: &Value, schema: &Self| value.is_null() && !schema.nullable && schema.default.is_none();
        match value {
            Value::Object(fields) => fields.retain(|name, value| match self.field(name) {
                Some(Field::Schema(schema)) if idle(value, schema) => false,
                Some(Field::Schema(schema)) => {
                    schema.without_idle_nulls(value);
                    true
                }
                _ => true,
            }),
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    items.iter_mut().for_each(|item| schema.without_idle_nulls(item));
                }
            }
            _ => {}
        }
    }

    fn set_defaults(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, schema) in &self.properties {
                    let missing = fields.get(name).is_none_or(|value| value.is_null() && !schema.nullable);
                    if let Some(default) = schema.default.as_ref().filter(|_| missing) {
                        fields.insert(name.clone(), default.clone());
                    }
                }
                for (name, value) in fields {
                    if let Some(Field::Schema(schema)) = self.field(name) {
                        schema.fill(value);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    items.iter_mut().for_each(|item| schema.fill(item));
                }
            }
            _ => {}
        }
    }

    fn fill(&self, value: &mut Value) {
        if let Some(default) = self.default.as_ref().filter(|_| value.is_null() && !self.nullable) {
            *value = default.clone();
        }
        self.set_defaults(value);
    }
}
