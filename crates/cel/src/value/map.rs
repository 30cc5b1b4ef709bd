//! Maps and objects.

use std::{cmp::Ordering, collections::BTreeMap, rc::Rc, sync::Arc};

use serde_json::Value as Json;

use super::{Text, Value, json};
use crate::{
    declared::{Declared, Object, escape},
    eval::{Answer, Failure},
    kind::Type,
};

/// A map or an object.
#[derive(Clone, Debug)]
pub enum Map<'v> {
    /// Values that are alike, by texts.
    Json(&'v serde_json::Map<String, Json>, &'v Declared),
    /// Fields, each as it is declared; what is not declared is not there.
    Object(&'v serde_json::Map<String, Json>, &'v Arc<Object>),
    Own(Rc<BTreeMap<Key<'v>, Value<'v>>>),
}

/// What a value of a map is known by.
#[derive(Clone, Debug)]
pub enum Key<'v> {
    Bool(bool),
    /// Also one without a sign: 1 and 1u are the same key.
    Int(i128),
    String(Text<'v>),
}

impl<'v> Key<'v> {
    pub(crate) fn of(value: &Value<'v>) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(number) => Self::Int((*number).into()),
            Value::Uint(number) => Self::Int((*number).into()),
            #[allow(clippy::cast_possible_truncation, reason = "only what is whole")]
            Value::Double(number) if number.fract() == 0.0 && number.abs() < 1e19 => {
                Self::Int(*number as i128)
            }
            Value::String(text) => Self::String(text.clone()),
            _ => return None,
        })
    }

    pub(crate) fn value(&self) -> Value<'v> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(number) => match i64::try_from(*number) {
                Ok(number) => Value::Int(number),
                Err(_) => Value::Uint(u64::try_from(*number).unwrap_or(u64::MAX)),
            },
            Self::String(text) => Value::String(text.clone()),
        }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::String(one), Self::String(other)) => (**one).cmp(other),
            (Self::Bool(_), _) | (Self::Int(_), Self::String(_)) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

impl<'v> Map<'v> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json(fields, _) => fields.len(),
            Self::Object(..) => self.keys().len(),
            Self::Own(entries) => entries.len(),
        }
    }

    pub(crate) fn of(&self) -> Type {
        match self {
            Self::Object(_, object) => Type::Object(Arc::clone(object)),
            _ => Type::map(Type::Dyn, Type::Dyn),
        }
    }

    /// The value of a key; `None` where there is none.
    pub(crate) fn find(&self, key: &Key<'v>) -> Option<Answer<'v>> {
        match (self, key) {
            (Self::Own(entries), key) => entries.get(key).cloned().map(Ok),
            (_, Key::String(name)) => self.field(name),
            _ => None,
        }
    }

    /// The value of a field, by the name that expressions use.
    pub(crate) fn field(&self, name: &str) -> Option<Answer<'v>> {
        match self {
            Self::Json(fields, of) => Some(json::read(fields.get(name)?, of)),
            Self::Object(fields, object) => {
                let field = object.field(name)?;
                Some(json::read(fields.get(&field.name)?, &field.declared))
            }
            Self::Own(entries) => entries.get(&Key::String(Text::Own(name.into()))).cloned().map(Ok),
        }
    }

    pub(crate) fn keys(&self) -> Vec<Key<'v>> {
        match self {
            Self::Json(fields, _) => fields.keys().map(|name| Key::String(Text::Of(name))).collect(),
            Self::Object(fields, object) => {
                let names = fields.keys().filter_map(|name| escape(name));
                let names = names.filter(|name| object.field(name).is_some());
                names.map(|name| Key::String(Text::Own(name.into()))).collect()
            }
            Self::Own(entries) => entries.keys().cloned().collect(),
        }
    }

    /// The fields of JSON as they are, where the map is an object.
    pub(crate) fn raw(&self) -> Option<&'v serde_json::Map<String, Json>> {
        match self {
            Self::Object(fields, _) => Some(fields),
            _ => None,
        }
    }
}

pub(crate) fn no_such_key(key: &Value<'_>) -> Failure {
    let key = match key {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        other => other.of().name().to_owned(),
    };
    Failure::error(format!("no such key: {key}"))
}
