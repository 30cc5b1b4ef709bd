//! `config-tracing`: there for old installations; everything moved to `config-observability`.

use std::collections::BTreeMap;

use super::data::ConfigError;

/// Nothing: every key is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracing;

impl Tracing {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-tracing";

    /// Takes any data.
    pub fn from_map(_: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}
