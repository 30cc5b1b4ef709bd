//! Labels and the selectors that choose by them.

use std::collections::BTreeMap;

use super::{FieldError, path::Path};
use crate::{
    meta::{LabelSelector, LabelSelectorRequirement},
    names::dns,
};

/// Says what is wrong with labels.
pub(super) fn validate(labels: &BTreeMap<String, String>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (key, value) in labels {
        errors.extend(dns::qualified_name(key).into_iter().map(|why| FieldError::invalid(path, key, why)));
        errors.extend(dns::label_value(value).into_iter().map(|why| FieldError::invalid(path, value, why)));
    }
}

/// Says what is wrong with a selector.
pub(super) fn validate_selector(selector: &LabelSelector, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(labels) = &selector.match_labels {
        validate(labels, &path.child("matchLabels"), errors);
    }
    let at = path.child("matchExpressions");
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        validate_requirement(requirement, &at.index(index), errors);
    }
}

fn validate_requirement(
    requirement: &LabelSelectorRequirement,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let values = requirement.values.as_deref().unwrap_or_default();
    let at = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(FieldError::required(&at, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(FieldError::forbidden(&at, why));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator"));
        }
    }
    let key = path.child("key");
    let wrong = dns::qualified_name(&requirement.key);
    errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&key, &requirement.key, why)));
    for (index, value) in values.iter().enumerate() {
        let at = at.index(index);
        errors.extend(dns::label_value(value).into_iter().map(|why| FieldError::invalid(&at, value, why)));
    }
}

/// Whether all of a selector's operators are known.
pub(super) fn is_understood(selector: &LabelSelector) -> bool {
    selector.match_expressions.iter().flatten().all(|requirement| {
        matches!(requirement.operator.as_str(), "In" | "NotIn" | "Exists" | "DoesNotExist")
    })
}

/// Whether a selector asks for nothing, and so takes everything.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// Whether labels are what a selector asks for.
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
    let meets = |requirement: &LabelSelectorRequirement| {
        let value = labels.get(&requirement.key);
        let listed =
            value.is_some_and(|value| requirement.values.iter().flatten().any(|listed| listed == value));
        match requirement.operator.as_str() {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    };
    selector.match_labels.iter().flatten().all(has) && selector.match_expressions.iter().flatten().all(meets)
}
