//! JSON read with an eye on depth and on fields that come twice.

use std::{cell::RefCell, fmt};

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
