//! Whether some rules allow all that others do (upstream: component-helpers, `auth/rbac/validation/policy_comparator.go`).
//! Pure.

use std::collections::BTreeMap;

use resources::builtin::PolicyRule;

use super::rule::{covers_path, list};

const ALL: &str = "*";

/// How many rights rules may give, each of one verb on one resource with one name, or on one path. A rule gives the product
/// of its lists, so a short one can give very many.
const RIGHTS_MAX: usize = 50_000;

/// Rules that give more than [`RIGHTS_MAX`] rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rules give more than {RIGHTS_MAX} combinations of verb, resource and name: use \"*\", or several roles"
)]
pub(super) struct TooManyRights;

/// What `wanted` allows and `held` does not, in rules of one resource or path each; verbs of one resource are together.
///
/// # Errors
/// When `wanted` allows too much to be compared one by one.
pub(super) fn missing(held: &[PolicyRule], wanted: &[PolicyRule]) -> Result<Vec<PolicyRule>, TooManyRights> {
    let all = wanted.iter().map(rights).fold(0, usize::saturating_add);
    if all > RIGHTS_MAX {
        return Err(TooManyRights);
    }
    let mut missing = Vec::new();
    for wanted in wanted {
        let covers: Vec<Cover> = held.iter().map(|held| Cover::new(held, wanted)).collect();
        missing.extend(parts(wanted).filter(|(at, _)| !covers.iter().any(|cover| cover.has(at))));
    }
    Ok(together(missing.into_iter().map(|(_, part)| part)))
}

/// How many rights a rule gives.
fn rights(rule: &PolicyRule) -> usize {
    let resources = [list(&rule.api_groups).len(), list(&rule.resources).len(), names(rule)];
    let resources = resources.into_iter().fold(1, usize::saturating_mul);
    rule.verbs.len().saturating_mul(resources.saturating_add(list(&rule.non_resource_urls).len()))
}

/// How many names a rule is about; for all names counts as one.
fn names(rule: &PolicyRule) -> usize {
    list(&rule.resource_names).len().max(1)
}

/// A right: a verb on one resource, with at most one name, or on one path.
struct Part<'a> {
    verb: &'a str,
    what: What<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What<'a> {
    Resource { group: &'a str, resource: &'a str, name: Option<&'a str> },
    Path(&'a str),
}

/// Where in the lists of its rule a right stands.
#[derive(Clone, Copy)]
struct At {
    verb: usize,
    what: WhatAt,
}

#[derive(Clone, Copy)]
enum WhatAt {
    Resource { group: usize, resource: usize, name: usize },
    Path(usize),
}

fn parts(rule: &PolicyRule) -> impl Iterator<Item = (At, Part<'_>)> {
    let (groups, resources) = (list(&rule.api_groups), list(&rule.resources));
    let (all_names, urls) = (list(&rule.resource_names), list(&rule.non_resource_urls));
    let paths = urls.iter().enumerate().map(|(at, url)| (WhatAt::Path(at), What::Path(url)));
    let of_group = move |(group_at, group)| {
        resources.iter().enumerate().flat_map(move |(resource_at, resource)| {
            (0..names(rule)).map(move |name_at| {
                let at = WhatAt::Resource { group: group_at, resource: resource_at, name: name_at };
                (at, What::Resource { group, resource, name: all_names.get(name_at).map(String::as_str) })
            })
        })
    };
    let groups = groups.iter().map(String::as_str).enumerate();
    let each_verb = |(at, what)| {
        let verbs = rule.verbs.iter().enumerate();
        verbs.map(move |(verb_at, verb)| (At { verb: verb_at, what: at }, Part { verb, what }))
    };
    paths.chain(groups.flat_map(of_group)).flat_map(each_verb)
}

/// What of a wanted rule's lists a held rule covers, entry by entry.
struct Cover {
    verbs: Vec<bool>,
    groups: Vec<bool>,
    resources: Vec<bool>,
    names: Vec<bool>,
    paths: Vec<bool>,
}

impl Cover {
    fn new(held: &PolicyRule, wanted: &PolicyRule) -> Self {
        let has = |list: &[String], wanted: &String| list.iter().any(|one| one == ALL || one == wanted);
        let each = |wanted: &[String], covers: &dyn Fn(&String) -> bool| wanted.iter().map(covers).collect();
        let held_names = list(&held.resource_names);
        let names = match list(&wanted.resource_names) {
            [] => vec![held_names.is_empty()],
            wanted => each(wanted, &|name| held_names.is_empty() || held_names.contains(name)),
        };
        Self {
            verbs: each(&wanted.verbs, &|verb| has(&held.verbs, verb)),
            groups: each(list(&wanted.api_groups), &|group| has(list(&held.api_groups), group)),
            resources: each(list(&wanted.resources), &|resource| {
                list(&held.resources).iter().any(|held| covers_resource(held, resource))
            }),
            names,
            paths: each(list(&wanted.non_resource_urls), &|path| {
                list(&held.non_resource_urls).iter().any(|url| covers_path(url, path))
            }),
        }
    }

    fn has(&self, at: &At) -> bool {
        self.verbs[at.verb]
            && match at.what {
                WhatAt::Path(path) => self.paths[path],
                WhatAt::Resource { group, resource, name } => {
                    self.groups[group] && self.resources[resource] && self.names[name]
                }
            }
    }
}

/// `*` covers all, `*/scale` the same part of all.
fn covers_resource(held: &str, wanted: &str) -> bool {
    let parts = held.strip_prefix("*/").zip(wanted.split_once('/'));
    held == ALL || held == wanted || parts.is_some_and(|(held, (_, part))| held == part)
}

fn together<'a>(parts: impl Iterator<Item = Part<'a>>) -> Vec<PolicyRule> {
    let one = |text: &str| Some(vec![text.to_owned()]);
    let mut rules = Vec::new();
    let mut resources: BTreeMap<What<'a>, Vec<String>> = BTreeMap::new();
    for Part { verb, what } in parts {
        let verb = verb.to_owned();
        match what {
            What::Resource { .. } => resources.entry(what).or_default().push(verb),
            What::Path(path) => rules.push(PolicyRule {
                non_resource_urls: one(path),
                verbs: vec![verb],
                ..PolicyRule::default()
            }),
        }
    }
    rules.extend(resources.into_iter().filter_map(|(what, verbs)| {
        let What::Resource { group, resource, name } = what else { return None };
        Some(PolicyRule {
            api_groups: one(group),
            resources: one(resource),
            resource_names: name.and_then(one),
            verbs,
            ..PolicyRule::default()
        })
    }));
    rules
}

/// A rule as errors show it: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`.
pub(super) fn shown(rule: &PolicyRule) -> String {
    let fields = [
        ("APIGroups", list(&rule.api_groups)),
        ("Resources", list(&rule.resources)),
        ("NonResourceURLs", list(&rule.non_resource_urls)),
        ("ResourceNames", list(&rule.resource_names)),
        ("Verbs", &rule.verbs),
    ];
    let fields = fields.iter().filter(|(_, list)| !list.is_empty());
    let fields: Vec<_> = fields.map(|(name, list)| format!("{name}:{}", quoted(list))).collect();
    format!("{{{}}}", fields.join(", "))
}

/// A list as errors show it: `["a" "b"]`.
pub(super) fn quoted(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|one| format!("{one:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

#[cfg(test)]
mod tests;
