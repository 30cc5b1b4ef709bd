//! ConfigMap, also those that configure the platform.

use super::invalid_each;
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::ConfigMap,
    config::{self, Configs, check_example},
    names::dns,
};

/// The most bytes that all values of a ConfigMap or Secret have together.
pub(super) const SIZE_MAX: usize = 1024 * 1024;
pub(super) const IMMUTABLE: &str = "field is immutable when `immutable` is set";

impl Rules for ConfigMap {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        check_data(self, &mut errors);
        if let Some(old) = context.old
            && old.immutable == Some(true)
        {
            for (field, changed) in [
                ("immutable", self.immutable != Some(true)),
                ("data", self.data != old.data),
                ("binaryData", self.binary_data != old.binary_data),
            ] {
                if changed {
                    errors.push(FieldError::forbidden(&Path::root(field), IMMUTABLE));
                }
            }
        }
        invalid(errors)?;
        check_platform(self, context)
    }

    fn warnings(&self, _: &Configs) -> Vec<String> {
        if is_platforms(self) { config::without_effect(self) } else { Vec::new() }
    }
}

fn check_data(map: &ConfigMap, errors: &mut Vec<FieldError>) {
    let (data, binary_data) = (Path::root("data"), Path::root("binaryData"));
    let mut size = 0;
    for (key, value) in map.data.iter().flatten() {
        size += value.len();
        invalid_each(dns::config_key(key), key, &data.key(key), errors);
        if map.binary_data.as_ref().is_some_and(|binary| binary.contains_key(key)) {
            errors.push(FieldError::invalid(&data.key(key), key, "duplicate of key present in binaryData"));
        }
    }
    for (key, value) in map.binary_data.iter().flatten() {
        size += value.0.len();
        invalid_each(dns::config_key(key), key, &binary_data.key(key), errors);
    }
    if size > SIZE_MAX {
        errors.push(FieldError::too_long(&Path::root(""), SIZE_MAX));
    }
}

/// A ConfigMap of the platform must be one that it can run with.
fn check_platform(map: &ConfigMap, context: &Context<'_, ConfigMap>) -> Result<(), Rejection> {
    if !is_platforms(map) {
        return Ok(());
    }
    let name = map.metadata.name.as_deref().unwrap_or_default();
    check_example(map).map_err(Rejection::config)?;
    let data = map.data.clone().unwrap_or_default();
    context.configs.clone().apply(name, &data).map_err(Rejection::config)
}

fn is_platforms(map: &ConfigMap) -> bool {
    let (namespace, name) = (map.metadata.namespace.as_deref(), map.metadata.name.as_deref());
    config::is_platforms(namespace.unwrap_or_default(), name.unwrap_or_default())
}
