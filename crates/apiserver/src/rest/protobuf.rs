//! Bodies in Kubernetes' protobuf form, of the kinds for which client-go knows no other: questions about rights, tokens,
//! roles and their bindings, and the small kinds that `kubectl create` makes.
//!
//! ```text
//!   "k8s\0" · Unknown { 1: TypeMeta { 1: apiVersion, 2: kind }, 2: the object }        (upstream: apimachinery, runtime)
//! ```

mod messages;

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value};

const MAGIC: &[u8] = b"k8s\0";

/// How a message is read: number, name in JSON and type of each field that is not skipped.
struct Message(&'static [(u64, &'static str, Type)]);

/// What a field holds. What may come several times is said by `List`.
enum Type {
    Text,
    Bytes,
    Integer,
    Bool,
    /// Seconds and nanoseconds since 1970; empty for none.
    Time,
    Message(&'static Message),
    List(&'static Type),
    /// From texts to these.
    Map(&'static Type),
    /// A message whose only field stands for it.
    Wrapped(&'static Type),
}

/// Why there is no object in a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is of a kind that is not read in this form.
    Kind,
    Malformed(&'static str),
}

use Unreadable::Malformed;

/// The object in a body, as JSON would have it.
pub(super) fn read(body: &[u8]) -> Result<Value, Unreadable> {
    let body = body
        .strip_prefix(MAGIC)
        .ok_or(Malformed("provided data does not appear to be a protobuf message"))?;
    let (mut about, mut object) = (None, &body[..0]);
    for field in Fields(body) {
        match field? {
            (1, Field::Bytes(bytes)) => about = Some(bytes),
            (2, Field::Bytes(bytes)) => object = bytes,
            _ => {}
        }
    }
    let about = message(&messages::TYPE_META, about.ok_or(Malformed("the body does not say what it is"))?)?;
    let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let known = messages::KINDS.iter().find(|known| (known.0, known.1) == (api_version, kind));
    let (.., known) = known.ok_or(Unreadable::Kind)?;
    let mut object = message(known, object)?;
    object.extend(about);
    Ok(Value::Object(object))
}

fn message(message: &Message, bytes: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    let mut object = Map::new();
    for field in Fields(bytes) {
        let (number, field) = field?;
        let known = message.0.iter().find(|(known, ..)| *known == number);
        let Some((_, name, kind)) = known else { continue };
        match (kind, value(kind, field)?) {
            // What is not there is written as empty.
            (_, Value::Null) => {}
            (Type::Text, Value::String(text)) if text.is_empty() => {}
            (Type::List(_), item) => match object.entry(*name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(item),
                _ => return Err(Malformed("a list is something else")),
            },
            (Type::Map(_), Value::Object(entry)) => {
                match object.entry(*name).or_insert_with(|| Value::Object(Map::new())) {
                    Value::Object(entries) => entries.extend(entry),
                    _ => return Err(Malformed("a map is something else")),
                }
            }
            (_, value) => {
                object.insert((*name).to_owned(), value);
            }
        }
    }
    Ok(object)
}

/// One item of a list, one entry of a map, or else the whole.
fn value(kind: &Type, field: Field<'_>) -> Result<Value, Unreadable> {
    Ok(match (kind, field) {
        (Type::Bool, Field::Number(number)) => Value::Bool(number != 0),
        // Negative numbers are written as large ones.
        (Type::Integer, Field::Number(number)) => Value::from(number.cast_signed()),
        (Type::Text, Field::Bytes(bytes)) => {
            let text = str::from_utf8(bytes).map_err(|_| Malformed("a text is not UTF-8"))?;
            Value::from(text)
        }
        (Type::Bytes, Field::Bytes(bytes)) => Value::from(BASE64_STANDARD.encode(bytes)),
        (Type::Message(known), Field::Bytes(bytes)) => Value::Object(message(known, bytes)?),
        (Type::Time, Field::Bytes(bytes)) => time(bytes)?,
        (Type::List(item), field @ Field::Bytes(_)) => value(item, field)?,
        (Type::Map(kind), Field::Bytes(bytes)) => entry(kind, bytes)?,
        (Type::Wrapped(kind), Field::Bytes(bytes)) => wrapped(kind, bytes)?,
        _ => return Err(Malformed("a field is of another type")),
    })
}

fn entry(kind: &Type, bytes: &[u8]) -> Result<Value, Unreadable> {
    let (mut key, mut found) = (String::new(), value(kind, Field::Bytes(&[]))?);
    for field in Fields(bytes) {
        match field? {
            (1, field) => key = value(&Type::Text, field)?.as_str().unwrap_or_default().to_owned(),
            (2, field) => found = value(kind, field)?,
            _ => {}
        }
    }
    Ok(Value::Object(Map::from_iter([(key, found)])))
}

/// The items of a list that is a message of its own.
fn wrapped(kind: &Type, bytes: &[u8]) -> Result<Value, Unreadable> {
    let items = Fields(bytes).filter_map(|field| match field {
        Ok((1, field)) => Some(value(kind, field)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    items.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn time(bytes: &[u8]) -> Result<Value, Unreadable> {
    let mut seconds = None;
    for field in Fields(bytes) {
        if let (1, Field::Number(number)) = field? {
            seconds = Some(number.cast_signed());
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let time = Timestamp::from_second(seconds).map_err(|_| Malformed("a time is out of range"))?;
    Ok(Value::from(time.to_string()))
}

/// A field as it is on the wire.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Numbers of fixed width, which no field that is read has.
    Other,
}

/// The fields of a message, in order. Ends after an error.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed("the body ends in the middle of a field")))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.number()?;
        let field = match tag & 7 {
            0 => Field::Number(self.number()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let len = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((tag >> 3, field))
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
