//! Whether one rule allows what is asked (upstream: kubernetes, `pkg/apis/rbac/v1/evaluation_helpers.go`). Pure.

use resources::builtin::PolicyRule;

use super::{Asked, Attributes};

/// Stands for all verbs, groups, resources or paths.
const ALL: &str = "*";

pub(super) fn allows(rule: &PolicyRule, attributes: &Attributes) -> bool {
    if !has(&rule.verbs, &attributes.verb) {
        return false;
    }
    match &attributes.asked {
        Asked::Path(path) => list(&rule.non_resource_urls).iter().any(|url| covers_path(url, path)),
        Asked::Resource { group, resource, subresource, name, .. } => {
            has(list(&rule.api_groups), group)
                && list(&rule.resources).iter().any(|rule| is_resource(rule, resource, subresource))
                && is_named(list(&rule.resource_names), name)
        }
    }
}

/// Whether a path is the one of a rule, or below one that ends in a star.
pub(super) fn covers_path(url: &str, path: &str) -> bool {
    url == path || url.ends_with(ALL) && path.starts_with(url.trim_end_matches(ALL))
}

/// An optional list of a rule.
pub(super) fn list(list: &Option<Vec<String>>) -> &[String] {
    list.as_deref().unwrap_or_default()
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == ALL || one == wanted)
}

/// `pods`, `pods/log`, `*/scale`, `*`.
fn is_resource(rule: &str, resource: &str, subresource: &str) -> bool {
    match rule.split_once('/') {
        _ if rule == ALL => true,
        None => subresource.is_empty() && rule == resource,
        Some((of, part)) => !subresource.is_empty() && part == subresource && (of == ALL || of == resource),
    }
}

/// A rule without names is for all; one with names is for no request that does not name one of them.
fn is_named(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|one| one == name)
}

#[cfg(test)]
mod tests;
