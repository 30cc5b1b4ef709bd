//! Columns that the definitions of users' kinds ask for (upstream: apiextensions-apiserver, `tableconvertor`).

use std::borrow::Cow;

use jiff::Timestamp;
use resources::custom::JsonPath;
use serde_json::Value;

use super::{
    age,
    columns::{Cell, Column},
};

/// How `metadata.name` is described.
const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some \
    resources may allow a client to request the generation of an appropriate name automatically. Name is primarily \
    intended for creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
/// How `metadata.creationTimestamp` is described.
const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It \
    is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It \
    is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
    https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

impl Column {
    /// The name of an object.
    pub(crate) fn name() -> Self {
        Self::own("Name", "string", NAME, Cell::At("/metadata/name"))
    }

    /// How old an object is.
    pub(crate) fn age() -> Self {
        Self::own("Age", "date", CREATED, Cell::Age)
    }

    /// A column that a definition asks for.
    pub(crate) fn defined(
        name: String,
        kind: String,
        format: String,
        description: String,
        priority: i32,
        path: JsonPath,
    ) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            format: format.into(),
            description: description.into(),
            priority,
            cell: Cell::Defined(path),
        }
    }

    const fn own(name: &'static str, kind: &'static str, description: &'static str, cell: Cell) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: Cow::Borrowed(kind),
            format: Cow::Borrowed(""),
            description: Cow::Borrowed(description),
            priority: 0,
            cell,
        }
    }
}

/// The value of a cell in a column of this type; nothing where the value is of another.
pub(super) fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => {
            value.clone()
        }
        ("string", Value::Null) => "<nil>".into(),
        ("string", other) => other.to_string().into(),
        ("integer", Value::Number(number)) => whole(number),
        ("date", Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(_) => age::since(Some(value), now).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Value::Null,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "that is what upstream does")]
fn whole(number: &serde_json::Number) -> Value {
    number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)).map_or(Value::Null, Value::from)
}
