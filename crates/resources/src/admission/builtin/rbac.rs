//! Roles and their bindings. Upstream: kubernetes, `pkg/apis/rbac`, `v1/defaults.go` and `validation`.

use super::invalid_each;
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        labels,
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
    names::dns,
};

const GROUP: &str = "rbac.authorization.k8s.io";

impl Rules for Role {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::PathSegment, true);
        check_rules(self.rules.as_deref().unwrap_or_default(), true, &mut errors);
        invalid(errors)
    }
}

impl Rules for ClusterRole {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::PathSegment, false);
        check_rules(self.rules.as_deref().unwrap_or_default(), false, &mut errors);
        if let Some(aggregation) = &self.aggregation_rule {
            let path = Path::root("aggregationRule");
            let path = path.child("clusterRoleSelectors");
            let selectors = aggregation.cluster_role_selectors.as_deref().unwrap_or_default();
            if selectors.is_empty() {
                let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
                errors.push(FieldError::required(&path, why));
            }
            for (index, selector) in selectors.iter().enumerate() {
                labels::validate_selector(selector, &path.index(index), &mut errors);
            }
        }
        invalid(errors)
    }
}

impl Rules for RoleBinding {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        set_defaults(&mut self.role_ref, self.subjects.as_deref_mut());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::PathSegment, true);
        check_reference(&self.role_ref, &["Role", "ClusterRole"], &mut errors);
        check_subjects(self.subjects.as_deref().unwrap_or_default(), true, &mut errors);
        check_same(&self.role_ref, context.old.map(|old| &old.role_ref), &mut errors);
        invalid(errors)
    }
}

impl Rules for ClusterRoleBinding {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        set_defaults(&mut self.role_ref, self.subjects.as_deref_mut());
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::PathSegment, false);
        check_reference(&self.role_ref, &["ClusterRole"], &mut errors);
        check_subjects(self.subjects.as_deref().unwrap_or_default(), false, &mut errors);
        check_same(&self.role_ref, context.old.map(|old| &old.role_ref), &mut errors);
        invalid(errors)
    }
}

fn set_defaults(role: &mut RoleRef, subjects: Option<&mut [Subject]>) {
    if role.api_group.is_empty() {
        role.api_group = GROUP.to_owned();
    }
    for subject in subjects.into_iter().flatten() {
        let group = subject.api_group.take().filter(|group| !group.is_empty());
        let named = matches!(subject.kind.as_str(), "User" | "Group");
        subject.api_group = group.or_else(|| named.then(|| GROUP.to_owned()));
        subject.namespace = subject.namespace.take().filter(|namespace| !namespace.is_empty());
    }
}

fn check_rules(rules: &[PolicyRule], namespaced: bool, errors: &mut Vec<FieldError>) {
    let path = Path::root("rules");
    for (index, rule) in rules.iter().enumerate() {
        check_rule(rule, namespaced, &path.index(index), errors);
    }
}

fn check_rule(rule: &PolicyRule, namespaced: bool, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let [groups, resources, names, urls] =
        [&rule.api_groups, &rule.resources, &rule.resource_names, &rule.non_resource_urls]
            .map(|list| list.as_deref().unwrap_or_default());
    if rule.verbs.is_empty() {
        errors.push(FieldError::required(&path.child("verbs"), "verbs must contain at least one value"));
    }
    if !urls.is_empty() {
        let at = path.child("nonResourceURLs");
        if namespaced {
            let why = "namespaced rules cannot apply to non-resource URLs";
            errors.push(FieldError::invalid(&at, urls, why));
        }
        if !(groups.is_empty() && resources.is_empty() && names.is_empty()) {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            errors.push(FieldError::invalid(&at, urls, why));
        }
        return;
    }
    if groups.is_empty() {
        let why = "resource rules must supply at least one api group";
        errors.push(FieldError::required(&path.child("apiGroups"), why));
    }
    if resources.is_empty() {
        let why = "resource rules must supply at least one resource";
        errors.push(FieldError::required(&path.child("resources"), why));
    }
}

fn check_reference(role: &RoleRef, kinds: &[&str], errors: &mut Vec<FieldError>) {
    let path = Path::root("roleRef");
    check_group(role.api_group.as_str(), GROUP, &path, errors);
    if !kinds.contains(&role.kind.as_str()) {
        errors.push(FieldError::not_supported(&path.child("kind"), &role.kind, kinds));
    }
    let path = path.child("name");
    if role.name.is_empty() {
        errors.push(FieldError::required(&path, ""));
    }
    invalid_each(dns::path_segment(&role.name), &role.name, &path, errors);
}

fn check_subjects(subjects: &[Subject], namespaced: bool, errors: &mut Vec<FieldError>) {
    let path = Path::root("subjects");
    for (index, subject) in subjects.iter().enumerate() {
        check_subject(subject, namespaced, &path.index(index), errors);
    }
}

fn check_subject(subject: &Subject, namespaced: bool, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let name = path.child("name");
    if subject.name.is_empty() {
        errors.push(FieldError::required(&name, ""));
    }
    let group = subject.api_group.as_deref().unwrap_or_default();
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !subject.name.is_empty() {
                invalid_each(dns::subdomain(&subject.name), &subject.name, &name, errors);
            }
            check_group(group, "", path, errors);
            if !namespaced && subject.namespace.as_deref().unwrap_or_default().is_empty() {
                errors.push(FieldError::required(&path.child("namespace"), ""));
            }
        }
        "User" | "Group" => check_group(group, GROUP, path, errors),
        other => {
            let kinds = ["ServiceAccount", "User", "Group"];
            errors.push(FieldError::not_supported(&path.child("kind"), other, &kinds));
        }
    }
}

fn check_group(group: &str, wanted: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if group != wanted {
        errors.push(FieldError::not_supported(&path.child("apiGroup"), group, &[wanted]));
    }
}

/// What is bound decides who may bind it, so it stays the same.
fn check_same(role: &RoleRef, old: Option<&RoleRef>, errors: &mut Vec<FieldError>) {
    if old.is_some_and(|old| old != role) {
        errors.push(FieldError::invalid(&Path::root("roleRef"), role, "cannot change roleRef"));
    }
}
