//! Kubernetes' own kinds. Upstream: kubernetes, `pkg/apis/core/{v1/defaults.go,validation}` and `pkg/apis/apps`.

mod address;
mod config_map;
mod container;
mod container_defaults;
mod custom_resource_definition;
mod deployment;
mod discovery;
mod event;
mod job;
mod lease;
mod namespace;
mod node;
mod pod;
mod pod_defaults;
mod probe;
mod rbac;
mod replica_set;
mod scaling;
mod secret;
mod service;
mod service_account;
mod stateful_set;
mod volume;
mod webhooks;
mod workload;

use super::{FieldError, path::Path};

/// `value` is one of `supported`.
fn check_one_of(value: Option<&str>, supported: &[&str], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(value) = value
        && !supported.contains(&value)
    {
        errors.push(FieldError::not_supported(path, value, supported));
    }
}

/// `value` is not negative.
fn check_not_negative(value: Option<i64>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(value @ ..0) = value {
        errors.push(FieldError::invalid(path, value, "must be greater than or equal to 0"));
    }
}

/// `wrong` as errors of one value.
fn invalid_each(wrong: Vec<String>, value: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    errors.extend(wrong.into_iter().map(|why| FieldError::invalid(path, value, why)));
}

const FIELD_IMMUTABLE: &str = "field is immutable";
