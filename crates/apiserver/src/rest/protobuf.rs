//! Bodies in Kubernetes' protobuf form, which is what client-go's typed clients send: every built-in kind that is served.
//!
//! ```text
//!   "k8s\0" · Unknown { 1: TypeMeta { 1: apiVersion, 2: kind }, 2: the object }        (upstream: apimachinery, runtime)
//!                 │
//!                 └─► wire: fields ─► messages: what they are called, by a table ─► values: as JSON has them
//! ```

mod messages;
mod values;
mod wire;

use resources::kinds;
use serde_json::{Map, Value};

use self::{
    messages::{Member, Message, TABLE, Type},
    wire::{Field, Fields},
};
use super::json::{Bounds, too_deep};

const MAGIC: &[u8] = b"k8s\0";

/// Why there is no object in a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is of a kind that is not read in this form.
    Kind,
    Malformed(String),
}

/// The object in a body, as JSON would have it.
pub(super) fn read(body: &[u8], bounds: Bounds) -> Result<Value, Unreadable> {
    let body = body
        .strip_prefix(MAGIC)
        .ok_or_else(|| malformed("provided data does not appear to be a protobuf message"))?;
    let (mut about, mut object) = (None, &body[..0]);
    for field in Fields::of(body) {
        match field? {
            (1, Field::Bytes(bytes)) => about = Some(bytes),
            (2, Field::Bytes(bytes)) => object = bytes,
            _ => {}
        }
    }
    let about = about.ok_or_else(|| malformed("the body does not say what it is"))?;
    let reader = Reader { depth_left: bounds.depth_max, bounds };
    let about = reader.message(&TABLE.about, about)?;
    let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let known = TABLE.kind(api_version, kind).ok_or(Unreadable::Kind)?;
    let mut object = reader.message(known, object)?;
    if is_question(api_version, kind) {
        // Its answer is for the server to say. There always is an empty one, which is none as JSON has it.
        object.remove("status");
    }
    object.extend(about);
    Ok(Value::Object(object))
}

fn is_question(api_version: &str, kind: &str) -> bool {
    let mut questions = kinds::reviews().iter().chain(kinds::parts());
    questions.any(|question| question.kind == kind && question.api_version() == api_version)
}

fn malformed(why: impl Into<String>) -> Unreadable {
    Unreadable::Malformed(why.into())
}

/// Reads messages, so deep as they may be nested.
#[derive(Clone, Copy)]
struct Reader {
    depth_left: usize,
    bounds: Bounds,
}

impl Reader {
    fn below(self) -> Result<Self, Unreadable> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(malformed(too_deep(self.bounds.depth_max))),
        }
    }

    fn message(self, message: &Message, bytes: &[u8]) -> Result<Map<String, Value>, Unreadable> {
        let below = self.below()?;
        let mut object = Map::new();
        for field in Fields::of(bytes) {
            let (number, field) = field?;
            let Some(Member { name, kind, omit_empty, .. }) = message.member(number) else { continue };
            let value = below.value(kind, field)?;
            match (kind, value) {
                (_, Value::Null) => {}
                (Type::List(_), item) => match object.entry(name).or_insert_with(|| Value::Array(Vec::new()))
                {
                    Value::Array(items) => items.push(item),
                    _ => return Err(malformed("a list is something else")),
                },
                (Type::Map(_), Value::Object(entry)) => {
                    match object.entry(name).or_insert_with(|| Value::Object(Map::new())) {
                        Value::Object(entries) => entries.extend(entry),
                        _ => return Err(malformed("a map is something else")),
                    }
                }
                // A type within another, whose fields are the other's own.
                (Type::Message(_), Value::Object(fields)) if name.is_empty() => object.extend(fields),
                (_, value) if *omit_empty && is_empty(&value) => {}
                (_, value) => {
                    object.insert(name.clone(), value);
                }
            }
        }
        Ok(object)
    }

    /// One item of a list, one entry of a map, or else the whole.
    fn value(self, kind: &Type, field: Field<'_>) -> Result<Value, Unreadable> {
        match (kind, field) {
            (Type::Message(known), Field::Bytes(bytes)) => {
                self.message(TABLE.message(*known), bytes).map(Value::Object)
            }
            (Type::List(item), field) => self.value(item, field),
            (Type::Map(kind), Field::Bytes(bytes)) => self.entry(kind, bytes),
            (Type::Wrapped(kind), Field::Bytes(bytes)) => self.below()?.wrapped(kind, bytes),
            (kind, field) => self.plain(kind, field),
        }
    }

    fn entry(self, kind: &Type, bytes: &[u8]) -> Result<Value, Unreadable> {
        let below = self.below()?;
        let (mut key, mut found) = (String::new(), None);
        for field in Fields::of(bytes) {
            match field? {
                (1, field) => key = wire::text(field)?.to_owned(),
                (2, field) => found = Some(below.value(kind, field)?),
                _ => {}
            }
        }
        // What has no value has an empty one.
        let found = found.map_or_else(|| below.value(kind, Field::Bytes(&[])), Ok)?;
        Ok(Value::Object(Map::from_iter([(key, found)])))
    }

    /// The items of a list that is a message of its own.
    fn wrapped(self, kind: &Type, bytes: &[u8]) -> Result<Value, Unreadable> {
        let items = Fields::of(bytes).filter_map(|field| match field {
            Ok((1, field)) => Some(self.value(kind, field)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        items.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }
}

/// What Go's JSON leaves out: fields of messages are written also when they are not there.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(yes) => !yes,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
