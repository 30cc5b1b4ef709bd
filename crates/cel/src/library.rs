//! What functions do.

pub(crate) mod access;
pub(crate) mod address;
pub(crate) mod arithmetic;
pub(crate) mod convert;
pub(crate) mod format;
pub(crate) mod lists;
pub(crate) mod logic;
pub(crate) mod named_format;
pub(crate) mod optionals;
pub(crate) mod order;
pub(crate) mod patterns;
pub(crate) mod quantity;
pub(crate) mod semver;
pub(crate) mod texts;
pub(crate) mod time;
pub(crate) mod url;
