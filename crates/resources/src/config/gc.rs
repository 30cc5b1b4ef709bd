//! `config-gc`: how long Revisions without traffic are kept.

use std::{collections::BTreeMap, time::Duration};

use super::data::{ConfigError, Data, Value};

/// A limit that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention<T> {
    /// There is no such limit.
    Disabled,
    /// The limit.
    Limit(T),
}

impl<T: Value> Value for Retention<T> {
    const EXPECTED: &'static str =
        "a limit that is not negative, such as \"48h\" or \"1000\", or \"disabled\"";
    fn read(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("disabled") {
            return Some(Self::Disabled);
        }
        T::read(text).map(Self::Limit)
    }
}

/// The values of `config-gc`; [`GarbageCollection::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GarbageCollection {
    /// `retain-since-create-time`.
    pub retain_since_create_time: Retention<Duration>,
    /// `retain-since-last-active-time`.
    pub retain_since_last_active_time: Retention<Duration>,
    /// `min-non-active-revisions`: these many are always kept.
    pub min_non_active_revisions: i64,
    /// `max-non-active-revisions`: no more than these are kept.
    pub max_non_active_revisions: Retention<i64>,
}

impl Default for GarbageCollection {
    fn default() -> Self {
        Self {
            retain_since_create_time: Retention::Limit(Duration::from_secs(48 * 3600)),
            retain_since_last_active_time: Retention::Limit(Duration::from_secs(15 * 3600)),
            min_non_active_revisions: 20,
            max_non_active_revisions: Retention::Limit(1000),
        }
    }
}

impl GarbageCollection {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-gc";

    /// Reads and checks the ConfigMap's data. An empty value counts as absent.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let present = data.iter().filter(|(_, value)| !value.is_empty());
        let present = present.map(|(key, value)| (key.clone(), value.clone())).collect();
        let data = Data::new(Self::NAME, &present);
        let mut config = Self::default();
        data.read("retain-since-create-time", &mut config.retain_since_create_time)?;
        data.read("retain-since-last-active-time", &mut config.retain_since_last_active_time)?;
        data.read("min-non-active-revisions", &mut config.min_non_active_revisions)?;
        data.read("max-non-active-revisions", &mut config.max_non_active_revisions)?;
        let min = config.min_non_active_revisions;
        data.check(min >= 0, "min-non-active-revisions", || format!("must be at least 0, was {min}"))?;
        if let Retention::Limit(max) = config.max_non_active_revisions {
            data.check(max >= 0, "max-non-active-revisions", || format!("must be at least 0, was {max}"))?;
            data.check(min <= max, "min-non-active-revisions", || {
                format!("({min}) must be no more than max-non-active-revisions ({max})")
            })?;
        }
        Ok(config)
    }
}
