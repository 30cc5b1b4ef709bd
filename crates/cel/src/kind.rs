//! The types of expressions.

use std::{fmt, sync::Arc};

use crate::declared::Object;

/// The type of a value or an expression.
#[derive(Clone, Debug)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `null_type`
    Null,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// What is found out when the expression is evaluated.
    Dyn,
    /// That of an expression that something is wrong with, which has been told.
    Error,
    /// `list(item)`
    List(Arc<Type>),
    /// `map(key, value)`
    Map(Arc<Type>, Arc<Type>),
    /// An object with declared fields.
    Object(Arc<Object>),
    /// `type(of)`
    Type(Option<Arc<Type>>),
    /// `optional_type(of)`
    Optional(Arc<Type>),
    /// One that only its own functions look into.
    Opaque(&'static str),
    /// One that is still to be found.
    Param(usize),
}

/// Types that only their own functions look into.
pub(crate) const OPAQUE: [(&str, &str); 6] = [
    ("quantity", "kubernetes.Quantity"),
    ("url", "kubernetes.URL"),
    ("ip", "net.IP"),
    ("cidr", "net.CIDR"),
    ("semver", "kubernetes.Semver"),
    ("format", "kubernetes.NamedFormat"),
];

impl Type {
    pub(crate) fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    pub(crate) fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    pub(crate) fn optional(of: Self) -> Self {
        Self::Optional(Arc::new(of))
    }

    pub(crate) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Self::Dyn | Self::Error)
    }

    /// Of a size that is known by the type.
    pub(crate) fn is_scalar(&self) -> bool {
        match self {
            Self::Bool | Self::Double | Self::Duration | Self::Int | Self::Timestamp | Self::Uint => true,
            Self::Optional(of) => of.is_scalar(),
            _ => false,
        }
    }

    /// The type that an identifier names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "null_type" => Self::Null,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            "list" => Self::list(Self::Dyn),
            "map" => Self::map(Self::Dyn, Self::Dyn),
            "type" => Self::Type(None),
            "optional_type" => Self::optional(Self::Dyn),
            other => Self::Opaque(OPAQUE.iter().find(|(_, name)| *name == other)?.1),
        })
    }

    /// The name of the type by itself, as `type(x)` tells it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Null => "null_type",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Dyn => "dyn",
            Self::Error => "!error!",
            Self::List(_) => "list",
            Self::Map(..) => "map",
            Self::Object(object) => object.name(),
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Opaque(name) => name,
            Self::Param(_) => "dyn",
        }
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other)) | (Self::Optional(one), Self::Optional(other)) => {
                one == other
            }
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key == other_key && value == other_value
            }
            (Self::Object(one), Self::Object(other)) => Arc::ptr_eq(one, other),
            (Self::Type(one), Self::Type(other)) => one == other,
            (Self::Opaque(one), Self::Opaque(other)) => one == other,
            (Self::Param(one), Self::Param(other)) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}

/// As messages name it (upstream: cel-go, `checker/format.go`).
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Type(Some(of)) => write!(f, "type({of})"),
            Self::Optional(of) => write!(f, "optional_type({of})"),
            Self::Param(at) => write!(f, "_var{at}"),
            plain => f.write_str(plain.name()),
        }
    }
}
