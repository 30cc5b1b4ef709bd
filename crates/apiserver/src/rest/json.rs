//! JSON read with an eye on depth and on fields that come twice.

use std::{cell::RefCell, collections::HashMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a JSON text; also the paths of fields that came twice, of which the last counts.
pub(super) fn read(text: &[u8], depth_max: usize) -> Result<(Value, Vec<String>), String> {
    let duplicates = RefCell::new(Vec::new());
    let mut json = serde_json::Deserializer::from_slice(text);
    let tree = Tree { duplicates: &duplicates, path: String::new(), depth_left: depth_max, depth_max };
    let value = tree.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    let value = value.map_err(|error| error.to_string())?;
    Ok((value, duplicates.into_inner()))
}

/// Where each field of a JSON text comes, by its path, counted in the order of the text.
pub(super) fn places(text: &[u8]) -> HashMap<String, Vec<usize>> {
    let places = RefCell::new((0, HashMap::new()));
    let mut json = serde_json::Deserializer::from_slice(text);
    // It was read before, so that it can be read.
    _ = Places { places: &places, path: String::new() }.deserialize(&mut json);
    places.into_inner().1
}

/// A value at a path, of which only the fields are looked at.
struct Places<'a> {
    places: &'a RefCell<(usize, HashMap<String, Vec<usize>>)>,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Places<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Places<'_> {
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
        while items
            .next_element_seed(Places { places: self.places, path: format!("{}[{at}]", self.path) })?
            .is_some()
        {
            at += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
            {
                let mut places = self.places.borrow_mut();
                places.0 += 1;
                let place = places.0;
                places.1.entry(path.clone()).or_default().push(place);
            }
            fields.next_value_seed(Places { places: self.places, path })?;
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

/// Whether a tree has more levels than allowed.
pub(super) fn is_deeper(value: &Value, depth_max: usize) -> bool {
    match value {
        Value::Array(items) => depth_max == 0 || items.iter().any(|item| is_deeper(item, depth_max - 1)),
        Value::Object(fields) => {
            depth_max == 0 || fields.values().any(|field| is_deeper(field, depth_max - 1))
        }
        _ => false,
    }
}

pub(crate) fn too_deep(depth_max: usize) -> String {
    format!("exceeded max depth: objects and arrays may be nested {depth_max} deep")
}

/// A value at a path.
struct Tree<'a> {
    duplicates: &'a RefCell<Vec<String>>,
    path: String,
    depth_left: usize,
    depth_max: usize,
}

impl<'a> Tree<'a> {
    fn below<E: Error>(&self, path: String) -> Result<Tree<'a>, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => {
                Ok(Tree { duplicates: self.duplicates, path, depth_left, depth_max: self.depth_max })
            }
            None => Err(E::custom(too_deep(self.depth_max))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
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

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) =
            items.next_element_seed(self.below(format!("{}[{}]", self.path, array.len()))?)?
        {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let value = fields.next_value_seed(self.below(path.clone())?)?;
            if object.insert(key, value).is_some() {
                self.duplicates.borrow_mut().push(path);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_where_they_come() {
        let places = places(br#"{"b": {"c": 1}, "a": [{"d": 1, "d": 2}], "b": 3}"#);
        let of = |path: &str| places[path].clone();
        assert_eq!((of("b"), of("b.c"), of("a"), of("a[0].d")), (vec![1, 6], vec![2], vec![3], vec![4, 5]));
    }

    #[test]
    fn duplicates_are_named_and_depth_is_bounded() {
        let (value, duplicates) =
            read(br#"{"a": {"b": 1, "b": 2}, "c": [{"d": 1, "d": null}], "a": 3}"#, 8).unwrap();
        assert_eq!(value, serde_json::json!({"a": 3, "c": [{"d": null}]}));
        assert_eq!(duplicates, ["a.b", "c[0].d", "a"]);
        assert!(read(b"[[[1]]]", 3).is_ok());
        assert!(read(b"[[[[1]]]]", 3).unwrap_err().contains("exceeded max depth"));
        for text in ["", "{", "{}x", "nul"] {
            assert!(read(text.as_bytes(), 8).is_err(), "{text}");
        }
    }
}
