//! `config-logging`: how much each part of the platform says.

use std::collections::BTreeMap;

use super::data::{ConfigError, Data};

/// The values of `config-logging`; [`Logging::default`] is the empty ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// `loglevel.<component>`: `debug`, `info`, `warn`, `error`, …
    pub levels: BTreeMap<String, String>,
    /// `zap-logger-config`: upstream's logger's JSON, of which only `level` has a meaning here.
    pub zap_logger_config: String,
}

const LEVELS: &[&str] = &["debug", "info", "warn", "error", "dpanic", "panic", "fatal"];

impl Logging {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-logging";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        data.read("zap-logger-config", &mut config.zap_logger_config)?;
        if !config.zap_logger_config.trim().is_empty() {
            serde_json::from_str::<serde_json::Value>(&config.zap_logger_config)
                .map_err(|error| data.wrong("zap-logger-config", format!("is not JSON: {error}")))?;
        }
        for (key, level) in data.data {
            let Some(component) = key.strip_prefix("loglevel.") else { continue };
            let level = level.to_ascii_lowercase();
            data.check(LEVELS.contains(&level.as_str()), key, || {
                format!("{level:?} is not one of {}", LEVELS.join(", "))
            })?;
            config.levels.insert(component.to_owned(), level);
        }
        Ok(config)
    }

    /// The level of a component, `info` unless it has one of its own.
    pub fn level(&self, component: &str) -> &str {
        self.levels.get(component).map_or("info", String::as_str)
    }
}
