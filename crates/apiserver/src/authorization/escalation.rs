//! Nobody gives away rights that it has not (upstream: kubernetes, `pkg/registry/rbac/*/policybased`).

use std::{any::Any, sync::Arc};

use objects::{Cause, Error};
use resources::{
    COMPLAINTS_MAX, DynObject, Kind, Object,
    builtin::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef},
};

use super::{
    Asked, Attributes, Policies,
    covers::{missing, quoted, shown},
};
use crate::{authentication::User, status::Failure};

/// Whether a user may write a role or binding; objects of other kinds give no rights.
///
/// A role's writer must have all that it allows, or be allowed to `escalate` it; a binding's writer all that its role
/// allows, or be allowed to `bind` that. `path_name`: the name that the request's path has.
pub(crate) fn check_grant(
    policies: &Policies,
    user: &User,
    path_name: Option<&str>,
    object: &Arc<dyn DynObject>,
    old: Option<&Arc<dyn DynObject>>,
) -> Result<(), Failure> {
    if user.is_admin() {
        return Ok(());
    }
    let Some(grant) = Grant::of(&**object) else { return Ok(()) };
    if old.is_some_and(|old| changes_only_gc_fields(object, old)) {
        return Ok(());
    }
    let writer = Writer { policies, user, object: &**object };
    match grant {
        Grant::Rules { rules, aggregates } => {
            let is = old.and_then(|old| (&**old as &dyn Any).downcast_ref::<ClusterRole>());
            let aggregates = aggregates || is.is_some_and(has_aggregation);
            let name = path_name.unwrap_or_default();
            if writer.may("escalate", object.kind(), name) {
                return Ok(());
            }
            writer.check_holds(rules)?;
            match aggregates && !writer.missing(&all_rights())?.is_empty() {
                true => Err(writer.refused("must have cluster-admin privileges to use the aggregationRule")),
                false => Ok(()),
            }
        }
        Grant::Role(role) => {
            let kind =
                if role.kind == "Role" { <Role as Object>::kind() } else { <ClusterRole as Object>::kind() };
            if writer.may("bind", kind, &role.name) {
                return Ok(());
            }
            let rules = policies
                .rules_in(role, writer.namespace())
                .map_err(|missing| Error::NotFound { kind: missing.kind, name: missing.name })?;
            writer.check_holds(&rules)
        }
    }
}

/// What an object gives.
enum Grant<'a> {
    Rules { rules: &'a [PolicyRule], aggregates: bool },
    Role(&'a RoleRef),
}

impl<'a> Grant<'a> {
    fn of(object: &'a dyn DynObject) -> Option<Self> {
        let any: &dyn Any = object;
        if let Some(role) = any.downcast_ref::<Role>() {
            return Some(Self::Rules { rules: role.rules.as_deref().unwrap_or_default(), aggregates: false });
        }
        if let Some(role) = any.downcast_ref::<ClusterRole>() {
            let rules = role.rules.as_deref().unwrap_or_default();
            return Some(Self::Rules { rules, aggregates: has_aggregation(role) });
        }
        if let Some(binding) = any.downcast_ref::<RoleBinding>() {
            return Some(Self::Role(&binding.role_ref));
        }
        any.downcast_ref::<ClusterRoleBinding>().map(|binding| Self::Role(&binding.role_ref))
    }
}

/// Who writes what.
struct Writer<'a> {
    policies: &'a Policies,
    user: &'a User,
    object: &'a dyn DynObject,
}

impl Writer<'_> {
    fn namespace(&self) -> &str {
        self.object.metadata().namespace.as_deref().unwrap_or_default()
    }

    fn may(&self, verb: &str, kind: &Kind, name: &str) -> bool {
        let asked = Asked::Resource {
            group: kind.group.to_owned(),
            resource: kind.plural.to_owned(),
            subresource: String::new(),
            namespace: self.namespace().to_owned(),
            name: name.to_owned(),
        };
        self.policies.decide(self.user, &Attributes { verb: verb.to_owned(), asked }).allowed
    }

    fn missing(&self, wanted: &[PolicyRule]) -> Result<Vec<PolicyRule>, Failure> {
        let held = self.policies.rules_of(self.user, self.namespace()).0;
        missing(&held, wanted).map_err(|too_many| {
            let (kind, metadata) = (self.object.kind(), self.object.metadata());
            let causes = vec![Cause {
                field: "rules".into(),
                reason: "FieldValueTooMany".into(),
                message: format!("Too many: {too_many}"),
            }];
            Error::Invalid { kind, name: metadata.name.clone().unwrap_or_default(), causes }.into()
        })
    }

    fn check_holds(&self, rules: &[PolicyRule]) -> Result<(), Failure> {
        let mut missing: Vec<String> = self.missing(rules)?.iter().map(shown).collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        let left_out = missing.len().saturating_sub(COMPLAINTS_MAX);
        missing.truncate(COMPLAINTS_MAX);
        if left_out > 0 {
            missing.push(format!("and {left_out} more"));
        }
        let (name, groups) = (&self.user.name, quoted(&self.user.groups));
        let unresolved = self.policies.rules_of(self.user, self.namespace()).1;
        let unresolved =
            unresolved.map(|errors| format!("; resolution errors: [{errors}]")).unwrap_or_default();
        Err(self.refused(&format!(
            "user {name:?} (groups={groups}) is attempting to grant RBAC permissions not currently held:\n{}{unresolved}",
            missing.join("\n")
        )))
    }

    fn refused(&self, why: &str) -> Failure {
        let (kind, metadata) = (self.object.kind(), self.object.metadata());
        let name = metadata.name.as_deref().unwrap_or_default();
        Failure::denied(kind.group, kind.plural, name, why)
    }
}

fn has_aggregation(role: &ClusterRole) -> bool {
    let selectors = role.aggregation_rule.as_ref().and_then(|rule| rule.cluster_role_selectors.as_ref());
    selectors.is_some_and(|selectors| !selectors.is_empty())
}

/// What a role that gathers others can come to have.
fn all_rights() -> [PolicyRule; 2] {
    let all = || Some(vec!["*".to_owned()]);
    let verbs = vec!["*".to_owned()];
    [
        PolicyRule { api_groups: all(), resources: all(), verbs: verbs.clone(), ..PolicyRule::default() },
        PolicyRule { non_resource_urls: all(), verbs, ..PolicyRule::default() },
    ]
}

/// Whether nothing changes but what the garbage collector writes: owners and finalizers.
fn changes_only_gc_fields(object: &Arc<dyn DynObject>, old: &Arc<dyn DynObject>) -> bool {
    let (mut metadata, known) = (object.metadata().clone(), old.metadata());
    metadata.owner_references.clone_from(&known.owner_references);
    metadata.finalizers.clone_from(&known.finalizers);
    metadata.managed_fields.clone_from(&known.managed_fields);
    metadata.resource_version.clone_from(&known.resource_version);
    let kind = object.kind();
    kind == old.kind() && kind.same(&*Arc::clone(object).with_metadata(metadata), &**old)
}
