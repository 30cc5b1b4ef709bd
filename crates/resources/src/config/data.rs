//! Reading typed values out of a ConfigMap's text.

use std::{collections::BTreeMap, time::Duration};

use crate::{duration, meta::Quantity, quantity};

/// A ConfigMap that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{config_map}: {message}")]
pub struct ConfigError {
    /// The ConfigMap's name.
    pub config_map: String,
    /// The key that is wrong, where it is one key.
    pub key: Option<String>,
    /// What is wrong and what is expected.
    pub message: String,
}

/// The data of one ConfigMap.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub(super) config_map: &'static str,
    pub(super) data: &'a BTreeMap<String, String>,
}

/// A type that a key's text can be read as.
pub(super) trait Value: Sized {
    /// What the text should have been, as the end of a sentence.
    const EXPECTED: &'static str;

    /// The value; `None` when the text is not one.
    fn read(text: &str) -> Option<Self>;
}

impl<'a> Data<'a> {
    pub(super) fn new(config_map: &'static str, data: &'a BTreeMap<String, String>) -> Self {
        Self { config_map, data }
    }

    /// The text of a key, if it is there.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.data.get(key).map(String::as_str)
    }

    /// Puts a key's value into `target`, and leaves it alone when the key is absent.
    pub(super) fn read<T: Value>(&self, key: &str, target: &mut T) -> Result<(), ConfigError> {
        if let Some(text) = self.text(key) {
            *target = T::read(text).ok_or_else(|| self.not_a(key, text, T::EXPECTED))?;
        }
        Ok(())
    }

    /// As [`Data::read`], for a key that has no default.
    pub(super) fn read_option<T: Value>(&self, key: &str, target: &mut Option<T>) -> Result<(), ConfigError> {
        if let Some(text) = self.text(key) {
            *target = Some(T::read(text).ok_or_else(|| self.not_a(key, text, T::EXPECTED))?);
        }
        Ok(())
    }

    fn not_a(&self, key: &str, text: &str, expected: &str) -> ConfigError {
        self.wrong(key, format!("{text:?} is not {expected}"))
    }

    /// An error at one key, `message` being said of its value.
    pub(super) fn wrong(&self, key: &str, message: impl std::fmt::Display) -> ConfigError {
        ConfigError {
            config_map: self.config_map.to_owned(),
            key: Some(key.to_owned()),
            message: format!("{key}: {message}"),
        }
    }

    /// An error unless `holds`.
    pub(super) fn check(
        &self,
        holds: bool,
        key: &str,
        message: impl FnOnce() -> String,
    ) -> Result<(), ConfigError> {
        if holds { Ok(()) } else { Err(self.wrong(key, message())) }
    }
}

impl Value for String {
    const EXPECTED: &'static str = "text";
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "\"true\" or \"false\"";
    /// As Go's `strconv.ParseBool`.
    fn read(text: &str) -> Option<Self> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }
}

impl Value for f64 {
    const EXPECTED: &'static str = "a number, such as \"70\" or \"0.7\"";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

impl Value for i32 {
    const EXPECTED: &'static str = "a whole number, such as \"10\"";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for i64 {
    const EXPECTED: &'static str = "a whole number, such as \"300\"";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = "a duration that is not negative, such as \"30s\", \"10m\" or \"1h30m\"";
    fn read(text: &str) -> Option<Self> {
        duration::parse(text)
    }
}

impl Value for Quantity {
    const EXPECTED: &'static str = "a quantity, such as \"100m\", \"0.5\" or \"128Mi\"";
    fn read(text: &str) -> Option<Self> {
        quantity::nanos(text)?;
        Some(Self(text.to_owned()))
    }
}

impl Value for std::collections::BTreeSet<String> {
    const EXPECTED: &'static str = "a list by comma";
    fn read(text: &str) -> Option<Self> {
        Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }
}
