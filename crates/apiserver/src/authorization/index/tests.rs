use serde_json::{Value, json};

use super::*;

fn role(namespace: &str, name: &str, verb: &str) -> Arc<dyn DynObject> {
    let rules = json!([{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]);
    let metadata = json!({"name": name, "namespace": namespace});
    let object = json!({"metadata": metadata, "rules": rules});
    if namespace.is_empty() {
        Arc::new(serde_json::from_value::<ClusterRole>(typed("ClusterRole", object)).unwrap())
    } else {
        Arc::new(serde_json::from_value::<Role>(typed("Role", object)).unwrap())
    }
}

/// `subjects`: `User/x`, `Group/x`, `ServiceAccount/x`, `ServiceAccount/x/namespace`.
fn binding(namespace: &str, name: &str, role: (&str, &str), subjects: &[&str]) -> Arc<dyn DynObject> {
    let subject = |text: &&str| {
        let parts: Vec<&str> = text.split('/').collect();
        json!({"kind": parts[0], "name": parts[1], "namespace": parts.get(2)})
    };
    let object = json!({
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role.0, "name": role.1},
        "subjects": subjects.iter().map(subject).collect::<Vec<_>>(),
    });
    if namespace.is_empty() {
        Arc::new(serde_json::from_value::<ClusterRoleBinding>(typed("ClusterRoleBinding", object)).unwrap())
    } else {
        Arc::new(serde_json::from_value::<RoleBinding>(typed("RoleBinding", object)).unwrap())
    }
}

fn typed(kind: &str, mut object: Value) -> Value {
    object["apiVersion"] = "rbac.authorization.k8s.io/v1".into();
    object["kind"] = kind.into();
    object
}

fn user(name: &str, groups: &[&str]) -> User {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    User { name: name.into(), groups, ..User::default() }
}

/// The verbs that a user has in a namespace.
fn verbs(index: &Index, user: &User, namespace: &str) -> Vec<String> {
    let mut verbs = Vec::new();
    index.visit(user, namespace, |_, rule| {
        verbs.extend(rule.verbs.iter().cloned());
        ControlFlow::Continue(())
    });
    verbs.sort();
    verbs
}

#[test]
fn rules_reach_whom_they_are_bound_to() {
    let mut index = Index::default();
    for object in [
        role("", "everywhere", "e"),
        role("a", "here", "h"),
        role("b", "here", "other"),
        binding("", "all", ("ClusterRole", "everywhere"), &["Group/g", "User/u"]),
        binding("a", "named", ("Role", "here"), &["User/u", "ServiceAccount/s"]),
        binding("a", "cluster", ("ClusterRole", "everywhere"), &["ServiceAccount/s/b"]),
        binding("", "account", ("ClusterRole", "everywhere"), &["ServiceAccount/s"]),
    ] {
        index.insert(&object);
    }
    let cases: [(User, &str, &[&str]); 10] = [
        (user("u", &[]), "", &["e"]),
        (user("u", &[]), "a", &["e", "h"]),
        (user("u", &[]), "b", &["e"]),
        // Bound twice, it has the rules once.
        (user("u", &["g"]), "", &["e"]),
        (user("x", &["f", "g"]), "a", &["e"]),
        (user("g", &["u"]), "a", &[]),
        (user("system:serviceaccount:a:s", &[]), "a", &["h"]),
        (user("system:serviceaccount:b:s", &[]), "a", &["e"]),
        (user("system:serviceaccount:b:s", &[]), "b", &[]),
        (user("s", &[]), "a", &[]),
    ];
    for (user, namespace, expect) in cases {
        assert_eq!(verbs(&index, &user, namespace), expect, "{user:?} in {namespace:?}");
    }
}

#[test]
fn what_changes_or_goes_counts_no_more() {
    let mut index = Index::default();
    let u = user("u", &[]);
    index.insert(&binding("a", "b", ("Role", "r"), &["User/u"]));
    let missing = index.visit(&u, "a", |_, _| ControlFlow::Continue(()));
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, [r#"role.rbac.authorization.k8s.io "r" not found"#]);
    index.insert(&role("a", "r", "one"));
    assert_eq!(verbs(&index, &u, "a"), ["one"]);
    index.insert(&role("a", "r", "two"));
    assert_eq!(verbs(&index, &u, "a"), ["two"]);
    index.insert(&binding("a", "b", ("Role", "r"), &["User/other"]));
    assert_eq!(verbs(&index, &u, "a"), [""; 0]);
    index.insert(&binding("a", "c", ("Role", "r"), &["User/u"]));
    index.remove(&role("a", "r", "two"));
    assert_eq!(verbs(&index, &u, "a"), [""; 0]);
    index.insert(&role("a", "r", "three"));
    index.remove(&binding("a", "c", ("Role", "r"), &[]));
    assert_eq!(verbs(&index, &u, "a"), [""; 0]);
    index.remove(&binding("a", "b", ("Role", "r"), &[]));
    assert!(index.scopes.is_empty());
}

#[test]
fn a_source_is_told_as_kubernetes_does() {
    let mut index = Index::default();
    for object in [
        role("", "r", "get"),
        binding("", "all", ("ClusterRole", "r"), &["Group/g"]),
        binding("n", "some", ("ClusterRole", "r"), &["ServiceAccount/s"]),
    ] {
        index.insert(&object);
    }
    let cases = [
        (user("u", &["g"]), r#"ClusterRoleBinding "all" of ClusterRole "r" to Group "g""#),
        (
            user("system:serviceaccount:n:s", &[]),
            r#"RoleBinding "some/n" of ClusterRole "r" to ServiceAccount "s/n""#,
        ),
    ];
    for (user, expect) in cases {
        let mut told = String::new();
        index.visit(&user, "n", |source, _| {
            told = source.to_string();
            ControlFlow::Break(())
        });
        assert_eq!(told, expect);
    }
}
