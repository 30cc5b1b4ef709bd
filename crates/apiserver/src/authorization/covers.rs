//! Whether some rules allow all that others do (upstream: component-helpers, `auth/rbac/validation/policy_comparator.go`).
//! Pure.

use std::collections::BTreeMap;

use resources::builtin::PolicyRule;

use super::rule::{covers_path, list};

const ALL: &str = "*";

/// What `wanted` allows and `held` does not, in rules of one resource or path each; verbs of one resource are together.
pub(super) fn missing(held: &[PolicyRule], wanted: &[PolicyRule]) -> Vec<PolicyRule> {
    let parts = wanted.iter().flat_map(parts);
    together(parts.filter(|part| !held.iter().any(|held| covers(held, part))))
}

/// A rule of one verb on one resource, with at most one name, or on one path.
struct Part<'a> {
    verb: &'a str,
    what: What<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What<'a> {
    Resource { group: &'a str, resource: &'a str, name: Option<&'a str> },
    Path(&'a str),
}

fn parts(rule: &PolicyRule) -> Vec<Part<'_>> {
    let mut whats: Vec<What<'_>> = list(&rule.non_resource_urls).iter().map(|url| What::Path(url)).collect();
    for group in list(&rule.api_groups) {
        for resource in list(&rule.resources) {
            let names = list(&rule.resource_names);
            let of = |name| What::Resource { group, resource, name };
            whats.extend(names.iter().map(|name| of(Some(name))));
            whats.extend(names.is_empty().then(|| of(None)));
        }
    }
    let each_verb = |what| rule.verbs.iter().map(move |verb| Part { verb, what });
    whats.into_iter().flat_map(each_verb).collect()
}

fn covers(held: &PolicyRule, part: &Part<'_>) -> bool {
    let has = |list: &[String], wanted: &str| list.iter().any(|one| one == ALL || one == wanted);
    has(&held.verbs, part.verb)
        && match part.what {
            What::Path(path) => list(&held.non_resource_urls).iter().any(|url| covers_path(url, path)),
            What::Resource { group, resource, name } => {
                let names = list(&held.resource_names);
                has(list(&held.api_groups), group)
                    && list(&held.resources).iter().any(|held| covers_resource(held, resource))
                    && (names.is_empty() || name.is_some_and(|name| names.iter().any(|one| one == name)))
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
mod tests {
    use super::*;

    /// `get,list apps deployments,pods/log [names]`, `-` for the core group; or `get /path`.
    fn rule(text: &str) -> PolicyRule {
        let words: Vec<Vec<String>> = text
            .split(' ')
            .map(|word| word.split(',').map(|one| if one == "-" { "" } else { one }.into()).collect())
            .collect();
        match words.as_slice() {
            [verbs, paths] => PolicyRule {
                verbs: verbs.clone(),
                non_resource_urls: Some(paths.clone()),
                ..PolicyRule::default()
            },
            [verbs, groups, resources, names @ ..] => PolicyRule {
                verbs: verbs.clone(),
                api_groups: Some(groups.clone()),
                resources: Some(resources.clone()),
                resource_names: names.first().cloned(),
                ..PolicyRule::default()
            },
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn what_is_missing() {
        // held, wanted, missing
        let cases: [(&[&str], &[&str], &[&str]); 10] = [
            (&["get - pods"], &["get - pods"], &[]),
            (
                &["get - pods"],
                &["get,list - pods"],
                &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["list"]}"#],
            ),
            (&["* * *"], &["get,list - pods,pods/log", "x apps deployments n"], &[]),
            (&["* * *"], &["get /x"], &[r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#]),
            (&["get /a*", "* /b"], &["get /a/b,/b"], &[]),
            (&["get - pods a,b"], &["get - pods a"], &[]),
            (&["get - pods a"], &["get - pods"], &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["get"]}"#]),
            (
                &["get - pods a"],
                &["get,list - pods b"],
                &[r#"{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get" "list"]}"#],
            ),
            (&["update apps */scale"], &["update apps deployments/scale"], &[]),
            (
                &["update apps */scale"],
                &["update apps deployments"],
                &[r#"{APIGroups:["apps"], Resources:["deployments"], Verbs:["update"]}"#],
            ),
        ];
        for (held, wanted, expect) in cases {
            let [held, wanted]: [Vec<_>; 2] =
                [held, wanted].map(|rules| rules.iter().map(|text| rule(text)).collect());
            let found: Vec<_> = missing(&held, &wanted).iter().map(shown).collect();
            assert_eq!(found, expect, "{held:?} {wanted:?}");
        }
    }
}
