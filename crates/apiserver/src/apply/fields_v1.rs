//! Sets of fields as `managedFields` write them (upstream: `FieldsV1`).
//!
//! A place below is `f:NAME`, `k:{KEY FIELDS}`, `v:VALUE` or `i:INDEX`; its value is an object of the same form; the
//! place itself is `.`, or `{}` where nothing is below.

use serde_json::{Map, Value};

use super::field_set::{Element, FieldSet};

const HERE: &str = ".";

/// Why a text is no set of fields.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no place in an object")]
pub(crate) struct NotFields(String);

/// Reads a set.
pub(super) fn read(fields: &Value) -> Result<FieldSet, NotFields> {
    let Value::Object(fields) = fields else { return Err(NotFields(fields.to_string())) };
    let mut set = FieldSet::default();
    for (name, below) in fields {
        if name == HERE {
            set.here = true;
            continue;
        }
        let mut child = read(below)?;
        child.here |= child.below.is_empty();
        set.below.insert(element(name)?, child);
    }
    Ok(set)
}

fn element(name: &str) -> Result<Element, NotFields> {
    let wrong = || NotFields(name.to_owned());
    let (kind, rest) = name.split_once(':').ok_or_else(wrong)?;
    // JSON in one form, whoever wrote it.
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| wrong());
    match kind {
        "f" => Ok(Element::Field(rest.to_owned())),
        "k" => json(rest)
            .and_then(|key| if key.is_object() { Ok(Element::Key(key.to_string())) } else { Err(wrong()) }),
        "v" => Ok(Element::Value(json(rest)?.to_string())),
        "i" => rest.parse().map(Element::Index).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// Writes a set.
pub(super) fn write(set: &FieldSet) -> Value {
    let mut fields = Map::new();
    if set.here && !set.below.is_empty() {
        fields.insert(HERE.to_owned(), Value::Object(Map::new()));
    }
    for (element, below) in &set.below {
        let name = match element {
            Element::Field(name) => format!("f:{name}"),
            Element::Key(key) => format!("k:{key}"),
            Element::Value(value) => format!("v:{value}"),
            Element::Index(index) => format!("i:{index}"),
        };
        fields.insert(name, write(below));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sets_are_read_and_written() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {"v:\"x\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:list": {"i:0": {}}},
        });
        let set = read(&fields).unwrap();
        assert_eq!(write(&set), fields);
        assert_eq!(
            set.paths(),
            [
                ".metadata.labels",
                ".metadata.finalizers[=\"x\"]",
                ".metadata.labels.app",
                ".spec.list[0]",
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[port=80,protocol=\"TCP\"].port",
            ]
        );
        for wrong in
            [json!([]), json!({"x:a": {}}), json!({"k:1": {}}), json!({"i:a": {}}), json!({"f:a": 1})]
        {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }
}
