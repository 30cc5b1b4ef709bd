//! JSON read within limits: of depth, and of how many values there are. Fields that come twice are noted.

use std::{cell::RefCell, collections::HashMap, fmt};

use resources::{Complaints, Path};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::limits::Limits;

/// What a tree may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Nested objects and arrays.
    pub(crate) depth_max: usize,
    /// Values: objects, arrays, and all that is in them.
    pub(crate) nodes_max: usize,
    /// Bytes of names and texts together.
    pub(crate) bytes_max: usize,
}

impl Bounds {
    pub(crate) fn of(limits: &Limits) -> Self {
        let Limits { depth_max, nodes_max, body_bytes_max: bytes_max, .. } = *limits;
        Self { depth_max, nodes_max, bytes_max }
    }
}

/// A tree as it was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) value: Value,
    /// The paths of fields that came twice, of which the last counts; of very many only the first.
    pub(crate) duplicates: Vec<String>,
    /// How much work it is to go through the tree, as bytes of JSON.
    pub(crate) bytes: usize,
}

/// Reads a JSON text.
pub(crate) fn read(text: &[u8], bounds: Bounds) -> Result<Read, String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = read_from(&mut json, bounds).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| error.to_string())
}

/// Reads a tree in any format.
pub(crate) fn read_from<'de, D: Deserializer<'de>>(from: D, bounds: Bounds) -> Result<Read, D::Error> {
    let reading = RefCell::new(Reading { nodes: 0, bytes: 0, duplicates: Complaints::default() });
    let tree = Tree { reading: &reading, bounds, path: Path::WHOLE, depth_left: bounds.depth_max };
    let value = tree.deserialize(from)?;
    let Reading { nodes, bytes, duplicates } = reading.into_inner();
    Ok(Read { value, duplicates: duplicates.into_kept(), bytes: bytes + nodes * NODE_BYTES })
}

/// What a value takes as JSON beside its name and text: quotes, a colon and a comma.
const NODE_BYTES: usize = 6;

/// Where the fields at some paths come in a JSON text, counted in the order of the text: the first two places of each.
/// Paths that were shortened are not found.
pub(super) fn places<'a>(text: &[u8], paths: impl Iterator<Item = &'a str>) -> HashMap<String, Vec<usize>> {
    let found = RefCell::new(Found { fields: 0, places: HashMap::new() });
    let mut json = serde_json::Deserializer::from_slice(text);
    let below = paths.map(|path| (path, path)).collect();
    // It was read before, so that it can be read.
    _ = Places { found: &found, below }.deserialize(&mut json);
    let places = found.into_inner().places.into_iter();
    places.map(|(path, places)| (path.to_owned(), places)).collect()
}

/// What was found of the fields that are looked for.
struct Found<'a> {
    fields: usize,
    places: HashMap<&'a str, Vec<usize>>,
}

/// A value of which only the fields are looked at, and only where one is that is looked for.
struct Places<'f, 'a> {
    found: &'f RefCell<Found<'a>>,
    /// The paths that lead through the value, each with what is left of it from there on.
    below: Vec<(&'a str, &'a str)>,
}

impl Places<'_, '_> {
    /// A part of the value: an item, or a field. `dot`: what separates it from what comes before.
    fn part(&self, dot: &str, name: &str) -> Self {
        let below = self.below.iter().filter_map(|&(path, left)| {
            let left = if left.len() == path.len() { left } else { left.strip_prefix(dot)? };
            let left = left.strip_prefix(name)?;
            (left.is_empty() || left.starts_with(['.', '['])).then_some((path, left))
        });
        Self { found: self.found, below: below.collect() }
    }
}

impl<'de> DeserializeSeed<'de> for Places<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.below.iter().all(|(_, left)| left.is_empty()) {
            return IgnoredAny::deserialize(deserializer).map(|IgnoredAny| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Places<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while items.next_element_seed(self.part("", &format!("[{at}]")))?.is_some() {
            at += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            let field = self.part(".", &key);
            {
                let mut found = self.found.borrow_mut();
                found.fields += 1;
                let place = found.fields;
                for (path, _) in field.below.iter().filter(|(_, left)| left.is_empty()) {
                    let places = found.places.entry(*path).or_default();
                    if places.len() < 2 && places.last() != Some(&place) {
                        places.push(place);
                    }
                }
            }
            fields.next_value_seed(field)?;
        }
        Ok(())
    }
}

/// How many levels of objects and arrays a tree has.
pub(crate) fn nested(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nested).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(nested).max().unwrap_or_default(),
        _ => 0,
    }
}

/// How many values a tree has.
pub(crate) fn nodes(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(nodes).sum::<usize>(),
        _ => 1,
    }
}

pub(crate) fn too_deep(depth_max: usize) -> String {
    format!("exceeded max depth: objects and arrays may be nested {depth_max} deep")
}

pub(crate) fn too_many_nodes(nodes_max: usize) -> String {
    format!("too many values: an object may have {nodes_max} fields and items in all")
}

/// What has been read so far.
struct Reading {
    nodes: usize,
    bytes: usize,
    duplicates: Complaints<String>,
}

/// A value at a path.
struct Tree<'a> {
    reading: &'a RefCell<Reading>,
    bounds: Bounds,
    path: Path<'a>,
    depth_left: usize,
}

impl Tree<'_> {
    fn below<'b, E: Error>(&'b self, path: Path<'b>) -> Result<Tree<'b>, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Tree { reading: self.reading, bounds: self.bounds, path, depth_left }),
            None => Err(E::custom(too_deep(self.bounds.depth_max))),
        }
    }

    fn count<E: Error>(&self, nodes: usize, bytes: usize) -> Result<(), E> {
        let Bounds { nodes_max, bytes_max, .. } = self.bounds;
        let mut reading = self.reading.borrow_mut();
        reading.nodes += nodes;
        reading.bytes += bytes;
        if reading.nodes > nodes_max {
            return Err(E::custom(too_many_nodes(nodes_max)));
        }
        if reading.bytes > bytes_max {
            return Err(E::custom(format!(
                "too long: an object may have {bytes_max} bytes of names and texts"
            )));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count::<D::Error>(1, 0)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.count::<E>(0, value.len())?;
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.count::<E>(0, value.len())?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            let path = self.path.index(array.len());
            let Some(item) = items.next_element_seed(self.below::<A::Error>(path)?)? else { break };
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            self.count::<A::Error>(0, key.len())?;
            let path = self.path.child(&key);
            let value = fields.next_value_seed(self.below::<A::Error>(path)?)?;
            if object.contains_key(&key) {
                self.reading.borrow_mut().duplicates.add(|| path.to_string());
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
