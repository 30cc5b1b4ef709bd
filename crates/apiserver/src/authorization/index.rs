//! Whom bindings are for and what roles allow, found without looking at all of them. Pure.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    ops::ControlFlow,
    sync::Arc,
};

use resources::{
    DynObject, Kind, Object, ObjectKey,
    builtin::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
    downcast,
};

use crate::authentication::{User, service_account_user};

/// The kind of a `roleRef` that names a role for every namespace; any other is one of the binding's own.
const CLUSTER_ROLE: &str = "ClusterRole";

/// Roles and bindings. Those of all namespaces are in the namespace "".
#[derive(Default)]
pub(super) struct Index {
    roles: HashMap<ObjectKey, Arc<[PolicyRule]>>,
    scopes: HashMap<String, Scope>,
}

/// The bindings of one namespace.
#[derive(Default)]
struct Scope {
    bindings: HashMap<String, Binding>,
    /// Names of bindings by the user they are for, and by the group.
    of_user: HashMap<String, BTreeSet<String>>,
    of_group: HashMap<String, BTreeSet<String>>,
}

struct Binding {
    role: RoleRef,
    subjects: Vec<Subject>,
}

/// Why a rule applies to a user.
pub(super) struct Source<'a> {
    namespace: &'a str,
    name: &'a str,
    role: &'a RoleRef,
    subject: &'a Subject,
}

/// A binding names a role that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoSuchRole {
    pub(super) kind: &'static Kind,
    pub(super) name: String,
}

impl Index {
    /// Takes an object in; others than roles and bindings are no concern of it.
    pub(super) fn insert(&mut self, object: &Arc<dyn DynObject>) {
        self.change(object, false);
    }

    pub(super) fn remove(&mut self, object: &Arc<dyn DynObject>) {
        self.change(object, true);
    }

    fn change(&mut self, object: &Arc<dyn DynObject>, gone: bool) {
        let key = ObjectKey::of(object.metadata());
        let object = || Arc::clone(object);
        if let Some(role) = downcast::<Role>(object()) {
            self.change_role(key, role.rules.as_deref(), gone);
        } else if let Some(role) = downcast::<ClusterRole>(object()) {
            self.change_role(key, role.rules.as_deref(), gone);
        } else if let Some(binding) = downcast::<RoleBinding>(object()) {
            self.change_binding(&key, &binding.role_ref, binding.subjects.as_deref(), gone);
        } else if let Some(binding) = downcast::<ClusterRoleBinding>(object()) {
            self.change_binding(&key, &binding.role_ref, binding.subjects.as_deref(), gone);
        }
    }

    fn change_role(&mut self, key: ObjectKey, rules: Option<&[PolicyRule]>, gone: bool) {
        if gone {
            self.roles.remove(&key);
        } else {
            self.roles.insert(key, rules.unwrap_or_default().into());
        }
    }

    fn change_binding(&mut self, key: &ObjectKey, role: &RoleRef, subjects: Option<&[Subject]>, gone: bool) {
        let scope = self.scopes.entry(key.namespace.clone()).or_default();
        scope.remove(&key.name, &key.namespace);
        if !gone {
            let binding = Binding { role: role.clone(), subjects: subjects.unwrap_or_default().to_vec() };
            scope.insert(&key.name, &key.namespace, binding);
        } else if scope.bindings.is_empty() {
            self.scopes.remove(&key.namespace);
        }
    }

    /// Shows every rule that applies to a user in a namespace until `see` has seen enough; the roles that are missing.
    pub(super) fn visit(
        &self,
        user: &User,
        namespace: &str,
        mut see: impl FnMut(&Source<'_>, &PolicyRule) -> ControlFlow<()>,
    ) -> Vec<NoSuchRole> {
        let mut missing = Vec::new();
        let namespaces = [Some(""), Some(namespace).filter(|namespace| !namespace.is_empty())];
        for namespace in namespaces.into_iter().flatten() {
            let Some(scope) = self.scopes.get(namespace) else { continue };
            for name in scope.names(user) {
                let Some(binding) = scope.bindings.get(name) else { continue };
                let applies = |subject: &&Subject| is_for(subject, namespace, user);
                let Some(subject) = binding.subjects.iter().find(applies) else { continue };
                let source = Source { namespace, name, role: &binding.role, subject };
                match self.rules(&binding.role, namespace) {
                    Err(error) => missing.push(error),
                    Ok(rules) => {
                        if rules.iter().any(|rule| see(&source, rule).is_break()) {
                            return missing;
                        }
                    }
                }
            }
        }
        missing
    }

    /// The rules of the role that a binding in a namespace names.
    pub(super) fn rules(&self, role: &RoleRef, namespace: &str) -> Result<&Arc<[PolicyRule]>, NoSuchRole> {
        let cluster = role.kind == CLUSTER_ROLE;
        let namespace = if cluster { "" } else { namespace };
        self.roles.get(&ObjectKey::new(namespace, role.name.as_str())).ok_or_else(|| {
            let kind = if cluster { <ClusterRole as Object>::kind() } else { <Role as Object>::kind() };
            NoSuchRole { kind, name: role.name.clone() }
        })
    }
}

impl Scope {
    fn insert(&mut self, name: &str, namespace: &str, binding: Binding) {
        for subject in &binding.subjects {
            if let Some(holders) = self.holders(subject, namespace) {
                holders.0.entry(holders.1).or_default().insert(name.to_owned());
            }
        }
        self.bindings.insert(name.to_owned(), binding);
    }

    fn remove(&mut self, name: &str, namespace: &str) {
        let Some(binding) = self.bindings.remove(name) else { return };
        for subject in &binding.subjects {
            let Some((map, holder)) = self.holders(subject, namespace) else { continue };
            let names = map.get_mut(&holder);
            if names.is_some_and(|names| names.remove(name) && names.is_empty()) {
                map.remove(&holder);
            }
        }
    }

    /// Where a subject's bindings are kept, and what it is called there.
    fn holders(
        &mut self,
        subject: &Subject,
        namespace: &str,
    ) -> Option<(&mut HashMap<String, BTreeSet<String>>, String)> {
        match subject.kind.as_str() {
            "User" => Some((&mut self.of_user, subject.name.clone())),
            "Group" => Some((&mut self.of_group, subject.name.clone())),
            _ => Some((&mut self.of_user, account(subject, namespace)?)),
        }
    }

    /// The bindings that are for a user, each once, in order.
    fn names(&self, user: &User) -> BTreeSet<&str> {
        let own = self.of_user.get(&user.name).into_iter();
        let groups = user.groups.iter().filter_map(|group| self.of_group.get(group));
        own.chain(groups).flatten().map(String::as_str).collect()
    }
}

/// What a subject that is a ServiceAccount is called as a user; one without a namespace is in its binding's.
fn account(subject: &Subject, namespace: &str) -> Option<String> {
    let namespace = subject.namespace.as_deref().filter(|own| !own.is_empty()).unwrap_or(namespace);
    let is_account = subject.kind == "ServiceAccount" && !namespace.is_empty();
    is_account.then(|| service_account_user(namespace, &subject.name))
}

fn is_for(subject: &Subject, namespace: &str, user: &User) -> bool {
    match subject.kind.as_str() {
        "User" => user.name == subject.name,
        "Group" => user.groups.contains(&subject.name),
        _ => account(subject, namespace).is_some_and(|name| user.name == name),
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, role, subject } = self;
        let (binding, slash) =
            if namespace.is_empty() { ("ClusterRoleBinding", "") } else { ("RoleBinding", "/") };
        let of = format!("{name}{slash}{namespace}");
        let to = match subject.kind.as_str() {
            "ServiceAccount" => {
                let own = subject.namespace.as_deref().filter(|own| !own.is_empty());
                format!("{}/{}", subject.name, own.unwrap_or(namespace))
            }
            _ => subject.name.clone(),
        };
        write!(f, "{binding} {of:?} of {} {:?} to {} {to:?}", role.kind, role.name, subject.kind)
    }
}

impl fmt::Display for NoSuchRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {:?} not found", self.kind.singular, self.kind.group, self.name)
    }
}

#[cfg(test)]
mod tests;
