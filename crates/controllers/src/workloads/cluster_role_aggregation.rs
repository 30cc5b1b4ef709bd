//! ClusterRoles that gather the rules of others (upstream: kubernetes, `pkg/controller/clusterroleaggregation`).

use std::{collections::BTreeMap, sync::Arc};

use objects::{Action, Client, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey,
    admission::matches,
    builtin::{ClusterRole, PolicyRule},
};

pub(super) struct Reconciler {
    pub(super) client: Client,
}

/// The key of all of them: which role gathers another is known by looking at each.
fn all() -> ObjectKey {
    ObjectKey::cluster("")
}

/// Any role may be gathered by any other.
pub(super) fn concerns_all(_: &ClusterRole) -> Vec<ObjectKey> {
    vec![all()]
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        if *key != all() {
            let role = self.client.find::<ClusterRole>(key).await?;
            if role.is_none_or(|role| role.aggregation_rule.is_none()) {
                return Ok(Action::Wait);
            }
        }
        let roles = self.client.list::<ClusterRole>(&ListOptions::all()).await?.items;
        for role in roles.iter().filter(|role| *key == all() || role.key() == *key) {
            let Some(rules) = gathered(role, &roles) else { continue };
            if role.rules.as_deref().unwrap_or_default() != rules {
                let put = |role: &mut ClusterRole| role.rules = Some(rules.clone());
                self.client.modify(WriteTarget::Object, &role.key(), put).await?;
            }
        }
        Ok(Action::Wait)
    }
}

/// The rules of all that a role gathers, each once, in the order of their names; `None` for one that gathers none.
fn gathered(role: &ClusterRole, roles: &[Arc<ClusterRole>]) -> Option<Vec<PolicyRule>> {
    let none = BTreeMap::new();
    let mut rules: Vec<PolicyRule> = Vec::new();
    for selector in role.aggregation_rule.as_ref()?.cluster_role_selectors.iter().flatten() {
        let is_meant = |other: &&Arc<ClusterRole>| {
            other.name() != role.name() && matches(selector, other.metadata.labels.as_ref().unwrap_or(&none))
        };
        // A list is in the order of names.
        for rule in roles.iter().filter(is_meant).flat_map(|role| role.rules.iter().flatten()) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    Some(rules)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn role(name: &str, part: &str, more: Value) -> Arc<ClusterRole> {
        let mut object = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"part": part}},
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Arc::new(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn rules_are_gathered_once_each() {
        let rule = |verb: &str| json!({"apiGroups": [""], "resources": ["pods"], "verbs": [verb]});
        let gathers = |selectors: Value| json!({"aggregationRule": {"clusterRoleSelectors": selectors}});
        let one = json!([{"matchLabels": {"part": "x"}}]);
        let two = json!([
            {"matchExpressions": [{"key": "part", "operator": "In", "values": ["y"]}]},
            {"matchLabels": {"part": "x"}},
        ]);
        let roles = [
            role("a", "x", json!({"rules": [rule("get"), rule("list")]})),
            role("b", "y", json!({"rules": [rule("list"), rule("watch")]})),
            role("c", "x", json!({"rules": [rule("list"), rule("delete")]})),
            role("one", "x", gathers(one)),
            role("two", "", gathers(two)),
        ];
        let cases: [(usize, Option<&[&str]>); 3] = [
            (0, None),
            // Not its own, though it is a part of itself.
            (3, Some(&["get", "list", "delete"])),
            (4, Some(&["list", "watch", "get", "delete"])),
        ];
        for (at, expect) in cases {
            let rules = gathered(&roles[at], &roles);
            let verbs = rules.map(|rules| rules.iter().map(|rule| rule.verbs[0].clone()).collect::<Vec<_>>());
            assert_eq!(
                verbs.as_deref(),
                expect.map(|list| list.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>()).as_deref()
            );
        }
    }
}
