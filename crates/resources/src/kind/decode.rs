//! From JSON to an object of one kind, and what does not fit.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tree::{NO_QUANTITY, Notes, Tree};
use crate::{
    kind::Kind,
    object::{DynObject, Object},
};

/// An object, or why it is none.
pub(crate) type Decoded = Result<Arc<dyn DynObject>, DecodeError>;
/// Likewise, with the fields that the kind does not have.
pub(crate) type DecodedStrictly = Result<(Arc<dyn DynObject>, Vec<String>), DecodeError>;

/// JSON that is not an object of the kind.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// What does not fit and where.
    pub message: String,
}

/// Reads what Ebb has written.
pub(crate) fn decode<K: Object>(_: &'static Kind, json: &[u8]) -> Decoded {
    match serde_json::from_slice::<K>(json) {
        Ok(object) => Ok(Arc::new(object)),
        Err(error) => Err(DecodeError { message: error.to_string() }),
    }
}

/// Reads what somebody has sent.
pub(crate) fn decode_strict<K: Object>(kind: &'static Kind, value: Value) -> DecodedStrictly {
    let (object, mut unknown) = read_strictly::<K>(kind.kind, value)?;
    // The caller has read these two to find the kind; they are not fields of it.
    unknown.retain(|path| path != "apiVersion" && path != "kind");
    Ok((Arc::new(object), unknown))
}

/// Reads a value of a type that errors call `name`; also the paths of fields that the type does not have.
pub(crate) fn read_strictly<T: DeserializeOwned>(
    name: &str,
    value: Value,
) -> Result<(T, Vec<String>), DecodeError> {
    let notes = Notes::default();
    match T::deserialize(Tree { value, notes: &notes }) {
        Ok(read) => Ok((read, notes.into_unknown())),
        Err(error) => Err(DecodeError { message: misfit(name, &notes.path(), &error.to_string()) }),
    }
}

/// Null and absent mean the same in the Kubernetes API, everywhere but in patches.
pub(crate) fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

/// serde's complaint about the value at `path` (empty is the whole object), in the words of a server written in Go, which
/// is what people search for. One that is not about types stays as it is.
fn misfit(kind: &str, path: &str, complaint: &str) -> String {
    // Upstream says what is wrong with these and not where.
    if complaint == NO_QUANTITY {
        return complaint.to_owned();
    }
    if let Some((_, offset)) =
        complaint.strip_prefix("Invalid symbol ").and_then(|why| why.split_once(", offset "))
    {
        return format!("illegal base64 data at input byte {}", offset.trim_end_matches('.'));
    }
    let types = complaint.strip_prefix("invalid type: ").or(complaint.strip_prefix("invalid value: "));
    let Some((found, expected)) = types.and_then(|types| types.rsplit_once(", expected ")) else {
        return if path.is_empty() { complaint.to_owned() } else { format!("{path}: {complaint}") };
    };
    let found = match found.split([' ', '`']).next().unwrap_or_default() {
        "integer" | "floating" => "number",
        "boolean" => "bool",
        "map" => "object",
        "sequence" => "array",
        word => word,
    };
    let expected = match expected {
        "i32" => "int32",
        "i64" => "int64",
        "f64" => "float64",
        "a boolean" => "bool",
        "a map" => "object",
        "a sequence" => "array",
        words => words.strip_prefix("a ").or(words.strip_prefix("struct ")).unwrap_or(words),
    };
    let field = if path.is_empty() { kind.to_owned() } else { format!("{kind}.{path}") };
    format!("json: cannot unmarshal {found} into Go struct field {field} of type {expected}")
}

#[cfg(test)]
mod tests;
