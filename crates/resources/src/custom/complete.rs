//! From what somebody has sent to what is stored: unknown fields go, nulls go, defaults come (upstream:
//! apiextensions-apiserver, `schema/defaulting`).

use serde_json::Value;

use super::{
    prune,
    schema::{DefaultValue, Field, Schema},
};
use crate::Complaints;

/// How many bytes of JSON the defaults of a schema may add to one object: far more than an object may have, and so little
/// that a small body cannot fill the memory by way of a default that is large and stands in every item of a list.
const DEFAULT_BYTES_MAX: usize = 16 << 20;

/// The defaults of a schema would make an object too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the defaults of the schema would add more than {DEFAULT_BYTES_MAX} bytes to the object")]
pub struct DefaultsTooLarge;

impl Schema {
    /// Takes the fields out of an object that the schema does not have, and puts its defaults in. Returns the paths of
    /// the former, in order; of very many only the first.
    ///
    /// # Errors
    /// When the defaults would make the object too large; it has some of them then.
    pub fn complete(&self, object: &mut Value) -> Result<Vec<String>, DefaultsTooLarge> {
        let mut unknown = Complaints::default();
        prune::prune(object, self, true, Some(&mut unknown));
        self.fill_in(object)?;
        let mut unknown = unknown.into_kept();
        unknown.sort();
        Ok(unknown)
    }

    /// As [`Schema::complete`], of an object that was complete when it was stored.
    pub fn complete_stored(&self, object: &mut Value) {
        self.prune(object);
        // A schema that has got larger defaults since must not make the object unreadable.
        _ = self.fill_in(object);
    }

    /// Takes the fields out of an object that the schema does not have.
    pub fn prune(&self, object: &mut Value) {
        prune::prune(object, self, true, None);
    }

    /// As [`Schema::prune`], of a value that need not be a whole object.
    pub(crate) fn prune_value(&self, value: &mut Value) {
        prune::prune(value, self, self.embedded, None);
    }

    fn fill_in(&self, object: &mut Value) -> Result<(), DefaultsTooLarge> {
        self.without_idle_nulls(object);
        self.set_defaults(object, &mut Room(DEFAULT_BYTES_MAX))
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

    fn set_defaults(&self, value: &mut Value, room: &mut Room) -> Result<(), DefaultsTooLarge> {
        match value {
            Value::Object(fields) => {
                for (name, schema) in &self.properties {
                    let missing = fields.get(name).is_none_or(|value| value.is_null() && !schema.nullable);
                    if let Some(default) = schema.default.as_ref().filter(|_| missing) {
                        fields.insert(name.clone(), room.copy(default)?);
                    }
                }
                for (name, value) in fields {
                    if let Some(Field::Schema(schema)) = self.field(name) {
                        schema.fill(value, room)?;
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    items.iter_mut().try_for_each(|item| schema.fill(item, room))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fill(&self, value: &mut Value, room: &mut Room) -> Result<(), DefaultsTooLarge> {
        if let Some(default) = self.default.as_ref().filter(|_| value.is_null() && !self.nullable) {
            *value = room.copy(default)?;
        }
        self.set_defaults(value, room)
    }
}

/// The bytes that defaults may still add.
struct Room(usize);

impl Room {
    fn copy(&mut self, default: &DefaultValue) -> Result<Value, DefaultsTooLarge> {
        self.0 = self.0.checked_sub(default.len).ok_or(DefaultsTooLarge)?;
        Ok(default.value.clone())
    }
}
