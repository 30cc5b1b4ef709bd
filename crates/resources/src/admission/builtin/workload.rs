//! What Deployments, ReplicaSets and StatefulSets have in common: so many pods of one template, found by one selector.

use std::collections::BTreeMap;

use super::{FIELD_IMMUTABLE, check_not_negative, pod};
use crate::{
    admission::{FieldError, labels, path::Path},
    builtin::PodTemplateSpec,
    meta::LabelSelector,
};

/// Says what is wrong with counts of pods. The first is of all there are, and no other is larger; `order`: two of which the
/// first may not be larger than the second.
pub(super) fn check_counts(counts: &[(&str, i32)], order: (&str, &str)) -> Vec<FieldError> {
    let (mut errors, path) = (Vec::new(), Path::root("status"));
    for (field, count) in counts {
        check_not_negative(Some((*count).into()), &path.child(field), &mut errors);
    }
    let count = |name: &str| counts.iter().find(|(field, _)| *field == name).map_or(0, |(_, count)| *count);
    if let [(_, all), others @ ..] = counts {
        for (field, count) in others.iter().filter(|(_, count)| count > all) {
            let why = "cannot be greater than status.replicas";
            errors.push(FieldError::invalid(&path.child(field), count, why));
        }
    }
    let (less, more) = order;
    if count(less) > count(more) {
        let why = format!("cannot be greater than {more}");
        errors.push(FieldError::invalid(&path.child(less), count(less), why));
    }
    errors
}

/// The common fields of a spec.
pub(super) struct Workload<'a> {
    /// What messages call it.
    pub(super) kind: &'static str,
    pub(super) replicas: Option<i32>,
    pub(super) min_ready_seconds: Option<i32>,
    pub(super) selector: &'a LabelSelector,
    pub(super) template: &'a PodTemplateSpec,
}

impl Workload<'_> {
    /// Says what is wrong; `old` is the selector it had before, which must not change.
    pub(super) fn validate(
        &self,
        old: Option<&LabelSelector>,
        path: &Path<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        check_not_negative(self.replicas.map(i64::from), &path.child("replicas"), errors);
        let min_ready = self.min_ready_seconds.map(i64::from);
        check_not_negative(min_ready, &path.child("minReadySeconds"), errors);
        if self.check_selector(path, errors) {
            pod::validate_template(self.template, &path.child("template"), errors);
        }
        if old.is_some_and(|old| old != self.selector) {
            errors.push(FieldError::invalid(&path.child("selector"), self.selector, FIELD_IMMUTABLE));
        }
    }

    /// A selector that is not empty and chooses what the template makes; whether it can be understood at all.
    fn check_selector(&self, path: &Path<'_>, errors: &mut Vec<FieldError>) -> bool {
        let (selector, at) = (self.selector, path.child("selector"));
        if *selector == LabelSelector::default() {
            errors.push(FieldError::required(&at, ""));
        } else if labels::is_empty(selector) {
            let why = format!("empty selector is invalid for {}", self.kind);
            errors.push(FieldError::invalid(&at, selector, why));
        }
        labels::validate_selector(selector, &at, errors);
        if !labels::is_understood(selector) {
            errors.push(FieldError::invalid(&at, selector, "invalid label selector"));
            return false;
        }
        let metadata = self.template.metadata.as_ref();
        let found = metadata.and_then(|metadata| metadata.labels.clone());
        // No selector chooses nothing, unlike one that asks for nothing.
        let missing = *selector == LabelSelector::default();
        if missing || !labels::matches(selector, found.as_ref().unwrap_or(&BTreeMap::new())) {
            let template = path.child("template");
            let metadata = template.child("metadata");
            let why = "`selector` does not match template `labels`";
            errors.push(FieldError::invalid(&metadata.child("labels"), &found, why));
        }
        true
    }
}
