//! A JSON tree as serde reads it, but for two things.
//!
//! An array is no struct: what serde derives takes the items of an array for the fields of a struct in their order, so
//! that `spec: []` would pass for an empty spec. And it is noted where the reader is, so that what nobody reads and what
//! does not fit can be named with its path.
//!
//! The notes are the tree's own and not those of readers around it: each of those would be compiled once more for each
//! field of each kind.

use std::{cell::RefCell, vec};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Error, Value, map};

use crate::{Complaints, path::PathText, quantity};

/// What the type of an amount is called.
const QUANTITY: &str = "Quantity";
/// What is said of a value that is none.
pub(super) const NO_QUANTITY: &str = "quantities must match the regular expression \
    '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// A value of the tree.
pub(super) struct Tree<'a> {
    pub(super) value: Value,
    pub(super) notes: &'a Notes,
}

/// What is noticed while a tree is read.
#[derive(Default)]
pub(super) struct Notes {
    /// Where the reader is; where it was, once it has failed.
    place: RefCell<Vec<Step>>,
    unknown: RefCell<Complaints<String>>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Notes {
    /// Where the reader is, as Kubernetes writes it: `spec.containers[0].name`; empty for the whole.
    pub(super) fn path(&self) -> String {
        let mut path = PathText::new();
        for step in &*self.place.borrow() {
            match step {
                Step::Field(name) => path.field(name),
                Step::Item(index) => path.index(*index),
            }
        }
        path.finish()
    }

    /// The paths of what nobody read; of very many only the first.
    pub(super) fn into_unknown(self) -> Vec<String> {
        self.unknown.into_inner().into_kept()
    }

    /// Reads what is one step below `depth`. After a failure the place stays, for whoever tells of it.
    fn within<T>(
        &self,
        depth: usize,
        step: Step,
        read: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        {
            let mut place = self.place.borrow_mut();
            // A reader may have got over a failure.
            place.truncate(depth);
            place.push(step);
        }
        let read = read()?;
        self.place.borrow_mut().truncate(depth);
        Ok(read)
    }

    fn depth(&self) -> usize {
        self.place.borrow().len()
    }
}

/// The items of an array.
struct Items<'a> {
    items: std::iter::Enumerate<vec::IntoIter<Value>>,
    depth: usize,
    notes: &'a Notes,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let notes = self.notes;
        let read = || seed.deserialize(Tree { value, notes });
        notes.within(self.depth, Step::Item(index), read).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The fields of an object.
struct Fields<'a> {
    fields: map::IntoIter,
    /// Of which the name has been read.
    next: Option<(String, Value)>,
    depth: usize,
    notes: &'a Notes,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next = self.fields.next();
        let Some((name, _)) = &self.next else { return Ok(None) };
        seed.deserialize(name.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) = self.next.take().expect("a value is asked for after its name");
        let notes = self.notes;
        notes.within(self.depth, Step::Field(name), || seed.deserialize(Tree { value, notes }))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let notes = self.notes;
        match self.value {
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                visitor.visit_seq(Items { items, depth: notes.depth(), notes })
            }
            Value::Object(fields) => {
                let fields = fields.into_iter();
                visitor.visit_map(Fields { fields, next: None, depth: notes.depth(), notes })
            }
            leaf => leaf.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != QUANTITY {
            return visitor.visit_newtype_struct(self);
        }
        // A number will do for a text.
        let text = match self.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            _ => return Err(Error::custom(NO_QUANTITY)),
        };
        if quantity::nanos(&text).is_none() {
            return Err(Error::custom(NO_QUANTITY));
        }
        visitor.visit_newtype_struct(Tree { value: Value::String(text), notes: self.notes })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.unknown.borrow_mut().add(|| self.notes.path());
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}
