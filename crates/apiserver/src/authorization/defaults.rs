//! The roles and bindings that are there from the start.

use std::collections::BTreeMap;

use resources::{
    builtin::{AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject},
    meta::{LabelSelector, ObjectMeta},
};
use serde::Deserialize;

use super::covers::missing;

const ROLES: &str = include_str!("defaults.yaml");
const GROUP: &str = "rbac.authorization.k8s.io";
/// Without this annotation being `true`, a default that its users have changed stays as it is.
const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";
const BOOTSTRAPPING: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");

/// A role as `defaults.yaml` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    name: String,
    #[serde(default)]
    bound: Vec<String>,
    gathers: Option<String>,
    part: Option<String>,
    #[serde(default)]
    rules: Vec<PolicyRule>,
}

/// What is to be there.
pub(crate) fn all() -> (Vec<ClusterRole>, Vec<ClusterRoleBinding>) {
    let defaults: Vec<Default> =
        serde_saphyr::from_str(ROLES).expect("defaults.yaml is tested to be what it should be");
    let bindings = defaults.iter().filter_map(Default::binding).collect();
    (defaults.into_iter().map(Default::role).collect(), bindings)
}

/// What a role that is there lacks of its default; `None` when that is nothing, or it is not to be kept up to date.
pub(crate) fn completed(present: &ClusterRole, default: &ClusterRole) -> Option<ClusterRole> {
    let annotations = present.metadata.annotations.as_ref();
    if annotations.and_then(|all| all.get(AUTOUPDATE)).is_none_or(|wish| wish != "true") {
        return None;
    }
    let rules = |role: &ClusterRole| role.rules.clone().unwrap_or_default();
    // The defaults are few.
    let missing = missing(&rules(present), &rules(default)).ok()?;
    (!missing.is_empty()).then(|| {
        let rules = [rules(present), missing].concat();
        ClusterRole { rules: Some(rules), ..present.clone() }
    })
}

impl Default {
    fn role(self) -> ClusterRole {
        let mut metadata = metadata(self.name);
        if let Some(part) = self.part {
            metadata.labels.get_or_insert_default().insert(part_of(&part), "true".into());
        }
        let gathered = |of: String| LabelSelector {
            match_labels: Some([(part_of(&of), "true".into())].into()),
            ..LabelSelector::default()
        };
        let aggregation_rule =
            self.gathers.map(|of| AggregationRule { cluster_role_selectors: Some(vec![gathered(of)]) });
        ClusterRole { metadata, aggregation_rule, rules: Some(self.rules) }
    }

    fn binding(&self) -> Option<ClusterRoleBinding> {
        let subject = |group: &String| Subject {
            api_group: Some(GROUP.into()),
            kind: "Group".into(),
            name: group.clone(),
            namespace: None,
        };
        let role = RoleRef { api_group: GROUP.into(), kind: "ClusterRole".into(), name: self.name.clone() };
        (!self.bound.is_empty()).then(|| ClusterRoleBinding {
            metadata: metadata(self.name.clone()),
            role_ref: role,
            subjects: Some(self.bound.iter().map(subject).collect()),
        })
    }
}

fn metadata(name: String) -> ObjectMeta {
    let (label, value) = BOOTSTRAPPING;
    let one = |key: &str, value: &str| Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    ObjectMeta {
        name: Some(name),
        labels: one(label, value),
        annotations: one(AUTOUPDATE, "true"),
        ..ObjectMeta::default()
    }
}

fn part_of(role: &str) -> String {
    format!("{GROUP}/aggregate-to-{role}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_read_and_fit_together() {
        let (roles, bindings) = all();
        let names: Vec<_> = roles.iter().filter_map(|role| role.metadata.name.as_deref()).collect();
        for binding in &bindings {
            assert!(names.contains(&binding.role_ref.name.as_str()), "{}", binding.role_ref.name);
        }
        for role in &roles {
            let rules = role.rules.as_deref().unwrap_or_default();
            assert_ne!(rules.is_empty(), role.aggregation_rule.is_none(), "{:?}", role.metadata.name);
            assert!(rules.iter().all(|rule| !rule.verbs.is_empty()), "{:?}", role.metadata.name);
        }
    }

    #[test]
    fn a_default_gets_back_what_it_lacks_unless_that_is_not_wanted() {
        let default =
            all().0.into_iter().find(|role| role.metadata.name.as_deref() == Some("system:basic-user"));
        let default = default.unwrap();
        assert_eq!(completed(&default, &default), None);
        let mut less = default.clone();
        less.rules.as_mut().unwrap().remove(0);
        let more = completed(&less, &default).unwrap();
        assert_eq!(completed(&more, &default), None);
        less.metadata.annotations.as_mut().unwrap().insert(AUTOUPDATE.into(), "false".into());
        assert_eq!(completed(&less, &default), None);
    }
}
