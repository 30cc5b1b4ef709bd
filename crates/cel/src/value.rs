//! The values of expressions. What comes from JSON stays where it is and is looked at when somebody asks for it.

mod json;
mod list;
mod map;
mod same;

use std::{fmt, ops::Deref, rc::Rc};

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::{
    list::{List, out_of_bounds},
    map::{Key, Map, no_such_key},
    same::{compare_numbers, same},
};
use crate::{
    kind::Type,
    library::{address::Block, quantity::Quantity, semver::Version, url::Url},
    syntax::Literal,
};

/// A value.
#[derive(Clone, Debug)]
pub enum Value<'v> {
    /// `null`
    Null,
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A `double`.
    Double(f64),
    /// A `string`.
    String(Text<'v>),
    /// `bytes`
    Bytes(Rc<[u8]>),
    /// A `google.protobuf.Duration`.
    Duration(SignedDuration),
    /// A `google.protobuf.Timestamp`.
    Timestamp(Timestamp),
    /// A list.
    #[doc(hidden)]
    List(List<'v>),
    /// A map or an object.
    #[doc(hidden)]
    Map(Map<'v>),
    /// A type.
    Type(Type),
    /// A value that may be missing.
    Optional(Option<Rc<Value<'v>>>),
    /// One of Kubernetes' own.
    #[doc(hidden)]
    Own(Rc<Own>),
}

/// Values that Kubernetes adds.
#[derive(Clone, Debug, PartialEq)]
pub enum Own {
    /// An amount.
    #[doc(hidden)]
    Quantity(Quantity),
    /// A URL.
    #[doc(hidden)]
    Url(Url),
    /// An address.
    Ip(std::net::IpAddr),
    /// A block of addresses.
    #[doc(hidden)]
    Cidr(Block),
    /// A version.
    #[doc(hidden)]
    Semver(Version),
    /// The name of a format.
    Format(&'static str),
}

/// A text, somebody else's or its own.
#[derive(Clone)]
pub enum Text<'v> {
    /// Somebody else's.
    Of(&'v str),
    /// Its own.
    Own(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Of(text) => text,
            Self::Own(text) => text,
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Text::Own(text.into()))
    }
}

impl<'v> Value<'v> {
    pub(crate) fn of_literal(literal: &'v Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Int(number) => Self::Int(*number),
            Literal::Uint(number) => Self::Uint(*number),
            Literal::Double(number) => Self::Double(*number),
            Literal::String(text) => Self::String(Text::Of(text)),
            Literal::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
        }
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Own(Rc::new(items)))
    }

    pub(crate) fn some(value: Self) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    /// A value that is there, or is not.
    pub fn optional(value: Option<Self>) -> Self {
        Self::Optional(value.map(Rc::new))
    }

    pub(crate) fn own(own: Own) -> Self {
        Self::Own(Rc::new(own))
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// How large a value is for what it costs: the characters of a text, the bytes, the items; else 1.
    pub(crate) fn size(&self) -> u64 {
        let size = match self {
            Self::String(text) => text.chars().count(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            Self::Optional(Some(held)) => return held.size(),
            _ => 1,
        };
        size as u64
    }

    /// The type of the value.
    pub(crate) fn of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Duration(_) => Type::Duration,
            Self::Timestamp(_) => Type::Timestamp,
            Self::List(_) => Type::list(Type::Dyn),
            Self::Map(map) => map.of(),
            Self::Type(_) => Type::Type(None),
            Self::Optional(_) => Type::optional(Type::Dyn),
            Self::Own(own) => Type::Opaque(match &**own {
                Own::Quantity(_) => "kubernetes.Quantity",
                Own::Url(_) => "kubernetes.URL",
                Own::Ip(_) => "net.IP",
                Own::Cidr(_) => "net.CIDR",
                Own::Semver(_) => "kubernetes.Semver",
                Own::Format(_) => "kubernetes.NamedFormat",
            }),
        }
    }
}
