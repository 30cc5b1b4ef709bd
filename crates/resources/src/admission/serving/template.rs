//! The template of a Service or Configuration.
//!
//! Upstream: serving, `pkg/apis/serving/v1/revision_validation.go`.

use std::collections::BTreeMap;

use super::{metadata::check_seconds, pod_spec, template_defaults, unserved};
use crate::{
    admission::{KnativeErrors, Path, same},
    annotations::{
        CERTIFICATE_CLASS, DISABLE_EXTERNAL_DOMAIN_TLS, HTTP_PROTOCOL, INGRESS_CLASS, Key, NETWORKING_GROUP,
        PROGRESS_DEADLINE, QUEUE_CPU_LIMIT, QUEUE_CPU_REQUEST, QUEUE_EPHEMERAL_STORAGE_LIMIT,
        QUEUE_EPHEMERAL_STORAGE_REQUEST, QUEUE_MEMORY_LIMIT, QUEUE_MEMORY_REQUEST, QUEUE_RESOURCE_PERCENTAGE,
        Scaling,
    },
    config::Configs,
    meta::ObjectMeta,
    names::dns,
    quantity,
    serving::{RevisionSpec, RevisionTemplateSpec},
};

/// Fills in what a template leaves out.
///
/// A template that keeps its name must stay as it is, also when defaults have changed since. So one that is already
/// the same is left alone, and one that becomes the same by defaults is taken for the old one. Any other is refused.
pub(super) fn set_defaults(
    template: &mut RevisionTemplateSpec,
    old: Option<&RevisionTemplateSpec>,
    parent: &ObjectMeta,
    configs: &Configs,
) {
    match old.filter(|old| has_name(template) && template.metadata.name == old.metadata.name) {
        None => template_defaults::set(&mut template.spec, parent, old.is_none(), configs),
        Some(old) => {
            if same::same(old, template) {
                return;
            }
            template_defaults::set(&mut template.spec, parent, true, configs);
            if same::same(old, template) {
                template.clone_from(old);
            }
        }
    }
}

/// A template with a name of its own may change only together with it: the name stands for one Revision.
pub(super) fn check_name_change(
    template: &RevisionTemplateSpec,
    old: &RevisionTemplateSpec,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    if !has_name(template) || template.metadata.name != old.metadata.name {
        return;
    }
    let changes = same::diff(old, template);
    if !changes.is_empty() {
        let meta = path.child("metadata");
        errors.add(
            "Saw the following changes without a name change (-old +new)",
            &[meta.child("name")],
            changes,
        );
    }
}

fn has_name(template: &RevisionTemplateSpec) -> bool {
    template.metadata.name.as_ref().is_some_and(|name| !name.is_empty())
}

/// Says what is wrong with a template of this parent. What an earlier release let in and has not been touched since
/// stays: its owner must be able to change the rest.
pub(super) fn validate(
    template: &RevisionTemplateSpec,
    old: Option<&RevisionTemplateSpec>,
    parent: &ObjectMeta,
    path: Path<'_>,
    configs: &Configs,
    errors: &mut KnativeErrors,
) {
    validate_spec(&template.spec, path.child("spec"), configs, errors);
    let meta = path.child("metadata");
    check_name(&template.metadata, parent, meta, errors);
    check_labels(&template.metadata, meta, errors);
    if let Some(annotations) = &template.metadata.annotations {
        let path = meta.child("annotations");
        Scaling::check(annotations, &configs.autoscaler, path, errors);
        if old.is_none_or(|old| old.metadata.annotations.as_ref() != Some(annotations)) {
            unserved::refuse_scaling(annotations, path, errors);
        }
        check_networking(annotations, path, errors);
        check_queue_resources(annotations, path, errors);
        if let Some((key, text)) = PROGRESS_DEADLINE.find(annotations) {
            check_seconds("progress-deadline", key, text, path, errors);
        }
    }
}

/// Says what is wrong with a Revision's spec.
pub(super) fn validate_spec(
    spec: &RevisionSpec,
    path: Path<'_>,
    configs: &Configs,
    errors: &mut KnativeErrors,
) {
    pod_spec::validate(spec, path, configs, errors);
    let defaults = &configs.defaults;
    if let Some(seconds) = spec.timeout_seconds
        && !(0..=defaults.max_revision_timeout_seconds).contains(&seconds)
    {
        errors.out_of_bounds(seconds, 0, defaults.max_revision_timeout_seconds, path.child("timeoutSeconds"));
    }
    if let Some(concurrency) = spec.container_concurrency {
        let low = i64::from(!defaults.allow_container_concurrency_zero);
        let high = defaults.container_concurrency_max_limit;
        if !(low..=high).contains(&concurrency) {
            errors.out_of_bounds(concurrency, low, high, path.child("containerConcurrency"));
        }
    }
}

/// What is allowed but unwise.
pub(super) fn warnings(template: &RevisionTemplateSpec, path: Path<'_>, configs: &Configs) -> Vec<String> {
    let mut errors = KnativeErrors::default();
    pod_spec::warn(&template.spec, path.child("spec"), configs, &mut errors);
    if let Some((key, _)) = template
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| QUEUE_RESOURCE_PERCENTAGE.find(annotations))
    {
        let meta = path.child("metadata");
        let key = format!("[{key}]");
        let message = "Queue proxy resource percentage annotation is deprecated. Please use the available annotations \
                       to explicitly set resource values per service";
        errors.warn(message, &[meta.child("annotations").child(&key)], "");
    }
    errors.warnings()
}

/// The name of the Revision to be, when the user gives it: it begins with the parent's.
fn check_name(metadata: &ObjectMeta, parent: &ObjectMeta, path: Path<'_>, errors: &mut KnativeErrors) {
    if let Some(prefix) = text(&metadata.generate_name) {
        let wrong = dns::label_1035(&dns::as_prefix(prefix));
        if !wrong.is_empty() {
            let value = format!("not a DNS 1035 label prefix: [{}]", wrong.join(" "));
            errors.invalid(value, path.child("generateName"));
        }
    }
    let Some(name) = text(&metadata.name) else { return };
    let wrong = dns::label_1035(name);
    if !wrong.is_empty() {
        errors.invalid(format!("not a DNS 1035 label: [{}]", wrong.join(" ")), path.child("name"));
        return;
    }
    match text(&parent.name) {
        // The parent's name is not known yet, so the user cannot have begun with it.
        None if text(&parent.generate_name).is_some() => errors.disallowed(path.child("name")),
        parent => {
            let prefix = format!("{}-", parent.unwrap_or_default());
            if !name.starts_with(&prefix) {
                errors.invalid(format!("{name:?} must have prefix {prefix:?}"), path.child("name"));
            }
        }
    }
}

fn text(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}

/// Labels and annotations go to pods, which Kubernetes would refuse when it is too late.
fn check_labels(metadata: &ObjectMeta, path: Path<'_>, errors: &mut KnativeErrors) {
    for (key, value) in metadata.labels.iter().flatten() {
        let labels = path.child("labels");
        let wrong = dns::qualified_name(key);
        if !wrong.is_empty() {
            errors.invalid_key(key, labels, wrong.join(", "));
        }
        let wrong = dns::label_value(value);
        if !wrong.is_empty() {
            errors.invalid_because(value, labels.child(key), wrong.join(", "));
        }
    }
    for key in metadata.annotations.iter().flat_map(BTreeMap::keys) {
        let wrong = dns::qualified_name(&key.to_lowercase());
        if !wrong.is_empty() {
            errors.invalid_key(key, path.child("annotations"), wrong.join(", "));
        }
    }
}

fn check_networking(annotations: &BTreeMap<String, String>, path: Path<'_>, errors: &mut KnativeErrors) {
    const ALLOWED: [Key; 4] = [INGRESS_CLASS, CERTIFICATE_CLASS, DISABLE_EXTERNAL_DOMAIN_TLS, HTTP_PROTOCOL];
    for key in annotations.keys().filter(|key| key.starts_with(NETWORKING_GROUP)) {
        if !ALLOWED.iter().any(|allowed| allowed.spellings().contains(&key.as_str())) {
            errors.invalid_key(key, path, "");
        }
    }
}

fn check_queue_resources(annotations: &BTreeMap<String, String>, path: Path<'_>, errors: &mut KnativeErrors) {
    if let Some((key, text)) = QUEUE_RESOURCE_PERCENTAGE.find(annotations) {
        let key = format!("[{key}]");
        match text.parse::<f64>() {
            Ok(percent) if (0.1..=100.0).contains(&percent) => {}
            Ok(percent) => errors.out_of_bounds(percent, 0.1, 100, path.child(&key)),
            Err(_) => errors.invalid(text, path.child(&key)),
        }
    }
    for key in [
        QUEUE_CPU_REQUEST,
        QUEUE_CPU_LIMIT,
        QUEUE_MEMORY_REQUEST,
        QUEUE_MEMORY_LIMIT,
        QUEUE_EPHEMERAL_STORAGE_REQUEST,
        QUEUE_EPHEMERAL_STORAGE_LIMIT,
    ] {
        if let Some((key, text)) = key.find(annotations)
            && quantity::nanos(text).is_none()
        {
            errors.invalid(text, path.child(&format!("[{key}]")));
        }
    }
}
