//! CustomResourceDefinitions (upstream: apiextensions-apiserver, `apis/apiextensions/v1/defaults.go` and
//! `validation`).

mod extensions;
mod names;
mod rules;
mod structure;
mod versions;

use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata,
        path::Path,
        rejection::invalid,
    },
    config::Configs,
    custom::{self, CustomResourceDefinition, types},
    names::dns,
};

const SPEC: Path<'static> = Path::root("spec");
/// Whose groups are Kubernetes' own.
const PROTECTED: [&str; 2] = ["k8s.io", "kubernetes.io"];
/// The annotation without which a definition may not have such a group.
const APPROVED: &str = "api-approved.kubernetes.io";

impl Rules for CustomResourceDefinition {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = &mut self.spec;
        let names = &mut spec.names;
        if names.singular.as_deref().is_none_or(str::is_empty) {
            names.singular = Some(names.kind.to_lowercase());
        }
        if names.list_kind.as_deref().is_none_or(str::is_empty) && !names.kind.is_empty() {
            names.list_kind = Some(format!("{}List", names.kind));
        }
        spec.conversion.get_or_insert_with(|| types::CustomResourceConversion {
            strategy: "None".into(),
            ..Default::default()
        });
        spec.preserve_unknown_fields = spec.preserve_unknown_fields.filter(|keep| *keep);
        for column in spec
            .versions
            .iter_mut()
            .flat_map(|version| version.additional_printer_columns.iter_mut())
            .flatten()
        {
            column.priority = column.priority.filter(|priority| *priority != 0);
        }
        let stored = self.spec.versions.iter().find(|version| version.storage);
        if let Some(stored) = stored.map(|version| version.name.clone()) {
            let status = self.status.get_or_insert_default();
            status.accepted_names.get_or_insert_default();
            let known = status.stored_versions.get_or_insert_default();
            if !known.contains(&stored) {
                known.push(stored);
            }
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = Vec::new();
        check_metadata(self, context.old.is_none(), &mut errors);
        check_group(&self.spec.group, &mut errors);
        let scope = SPEC.child("scope");
        match self.spec.scope.as_str() {
            "" => errors.push(FieldError::required(&scope, "")),
            value => super::check_one_of(Some(value), &["Cluster", "Namespaced"], &scope, &mut errors),
        }
        let before = context.old.map(|old| old.spec.versions.as_slice()).unwrap_or_default();
        versions::check(&self.spec.versions, before, &SPEC.child("versions"), &mut errors);
        names::check_there(&self.spec.names, &SPEC.child("names"), &mut errors);
        names::check(&self.spec.names, &SPEC.child("names"), &mut errors);
        check_conversion(self.spec.conversion.as_ref(), &mut errors);
        if self.spec.preserve_unknown_fields == Some(true) {
            let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
            errors.push(FieldError::invalid(&SPEC.child("preserveUnknownFields"), true, why));
        }
        if let Some(old) = context.old {
            check_unchanged(self, old, &mut errors);
        }
        versions::check_stored(self, &mut errors);
        check_approval(self, context.old, &mut errors);
        invalid(errors)
    }

    fn warnings(&self, _: &Configs) -> Vec<String> {
        let mut warnings = versions::warnings(&self.spec.versions);
        let webhook =
            self.spec.conversion.as_ref().is_some_and(|conversion| conversion.strategy == "Webhook");
        if webhook {
            warnings.push(
                "spec.conversion.strategy: conversion webhooks are not called by this version of Ebb: objects of another version differ in their apiVersion alone, as with the strategy None; where that is not enough, serve the version that is stored and no other".into(),
            );
        }
        warnings
    }
}

fn check_metadata(crd: &CustomResourceDefinition, new: bool, errors: &mut Vec<FieldError>) {
    errors.extend(metadata::validate(&crd.metadata, metadata::NameRule::Subdomain, false));
    let name = crd.metadata.name.as_deref().unwrap_or_default();
    if new && name != format!("{}.{}", crd.spec.names.plural, crd.spec.group) {
        let path = Path::root("metadata");
        errors.push(FieldError::invalid(
            &path.child("name"),
            name,
            "must be spec.names.plural+\".\"+spec.group",
        ));
    }
}

fn check_group(group: &str, errors: &mut Vec<FieldError>) {
    let path = SPEC.child("group");
    let wrong = dns::subdomain(group);
    if group.is_empty() {
        errors.push(FieldError::required(&path, ""));
    } else if !wrong.is_empty() {
        errors.push(FieldError::invalid(&path, group, wrong.join(",")));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid(&path, group, "should be a domain with at least one dot"));
    }
}

fn check_conversion(conversion: Option<&types::CustomResourceConversion>, errors: &mut Vec<FieldError>) {
    let Some(conversion) = conversion else { return };
    let path = SPEC.child("conversion");
    match (conversion.strategy.as_str(), &conversion.webhook) {
        ("", _) => errors.push(FieldError::required(&path.child("strategy"), "")),
        ("Webhook", None) => {
            let why = "required when strategy is set to Webhook";
            errors.push(FieldError::required(&path.child("webhookClientConfig"), why));
        }
        ("None", Some(_)) => {
            let why = "should not be set when strategy is not set to Webhook";
            errors.push(FieldError::forbidden(&path.child("webhookClientConfig"), why));
        }
        (strategy, _) => {
            super::check_one_of(Some(strategy), &["None", "Webhook"], &path.child("strategy"), errors);
        }
    }
}

/// What cannot be another than it was.
fn check_unchanged(
    crd: &CustomResourceDefinition,
    old: &CustomResourceDefinition,
    errors: &mut Vec<FieldError>,
) {
    let names = SPEC.child("names");
    let mut same = |new: &str, old: &str, path: &Path<'_>| {
        if new != old {
            errors.push(FieldError::invalid(path, new, super::FIELD_IMMUTABLE));
        }
    };
    if custom::is_true(old, custom::ESTABLISHED) {
        same(&crd.spec.scope, &old.spec.scope, &SPEC.child("scope"));
        same(&crd.spec.names.kind, &old.spec.names.kind, &names.child("kind"));
    }
    same(&crd.spec.group, &old.spec.group, &SPEC.child("group"));
    same(&crd.spec.names.plural, &old.spec.names.plural, &names.child("plural"));
}

/// Kubernetes' own groups take nothing that Kubernetes has not agreed to.
fn check_approval(
    crd: &CustomResourceDefinition,
    old: Option<&CustomResourceDefinition>,
    errors: &mut Vec<FieldError>,
) {
    let group = crd.spec.group.as_str();
    let protected = PROTECTED
        .iter()
        .any(|own| group == *own || group.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')));
    let approved = |crd: &CustomResourceDefinition| {
        crd.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(APPROVED))
    };
    if protected && !approved(crd) && old.is_none_or(approved) {
        let path = Path::root("metadata");
        let path = path.child("annotations");
        let why = format!(
            "protected groups must have approval annotation {APPROVED:?}, see https://github.com/kubernetes/enhancements/pull/1111"
        );
        errors.push(FieldError::required(&path.key(APPROVED), why));
    }
}
