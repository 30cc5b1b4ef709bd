//! Who may do what, by kubectl: roles and their bindings, users by certificates and tokens, acting as others.

use serde_json::{Value, json};

use crate::{https::Https, kubectl::Kubectl, rig::Rig};

const ROLE: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: ["*"]}
- {apiGroups: [apps], resources: [deployments/scale], verbs: [patch, get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: alice-reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}
- {kind: ServiceAccount, name: robot}
"#;

#[tokio::test]
async fn a_user_may_what_its_roles_say_and_learns_nothing_of_the_rest() {
    let rig = Rig::start().await;
    let Some(admin) = Kubectl::new(&rig, "a_user_may_what_its_roles_say").await else { return };
    admin.ok("apply -f -", ROLE).await;
    admin.ok("create configmap c --from-literal=k=v", "").await;
    admin.ok("create secret generic mine --from-literal=k=v", "").await;
    let alice = admin.as_user(&rig, "alice", None);
    let bob = admin.as_user(&rig, "bob", Some("readers"));
    let carol = admin.as_user(&rig, "carol", Some("writers"));

    for reader in [&alice, &bob] {
        assert_eq!(reader.ok("get configmap c -o jsonpath={.data.k}", "").await, "v");
        assert_eq!(reader.ok("get secret mine -o jsonpath={.data.k}", "").await, "dg==");
        assert_eq!(reader.ok("auth can-i list configmaps", "").await.trim(), "yes");
        assert_eq!(reader.run("auth can-i list secrets", "").await.stdout.trim(), "no");
        assert_eq!(reader.run("auth can-i list configmaps -n kube-system", "").await.stdout.trim(), "no");
        assert_eq!(reader.ok("auth can-i patch deployments --subresource scale", "").await.trim(), "yes");
    }
    let listed = alice.ok("auth can-i --list", "").await;
    let row = |resource: &str| listed.lines().find(|line| line.starts_with(resource)).unwrap_or_default();
    assert!(row("configmaps").contains("[get list watch]"), "{listed}");
    assert!(row("secrets").contains("[mine]"), "{listed}");
    assert!(row("selfsubjectreviews.authentication.k8s.io").contains("[create]"), "{listed}");

    // What is there and what is not are refused alike.
    let refusals = [
        (
            "get secret other",
            r#"secrets "other" is forbidden: User "alice" cannot get resource "secrets" in API group "" in the namespace "default""#,
        ),
        (
            "get secrets",
            r#"secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "default""#,
        ),
        (
            "get configmaps -A",
            r#"configmaps is forbidden: User "alice" cannot list resource "configmaps" in API group "" at the cluster scope"#,
        ),
        (
            "delete configmap c",
            r#"configmaps "c" is forbidden: User "alice" cannot delete resource "configmaps" in API group "" in the namespace "default""#,
        ),
        (
            "get namespace none",
            r#"namespaces "none" is forbidden: User "alice" cannot get resource "namespaces" in API group "" in the namespace "none""#,
        ),
        ("get --raw /ebb/v1/images", r#"forbidden: User "alice" cannot get path "/ebb/v1/images""#),
    ];
    for (command, expect) in refusals {
        let output = alice.run(command, "").await;
        assert!(!output.ok && output.stderr.contains(expect), "{command}: {}", output.stderr);
    }
    let output = carol.run("get configmap c", "").await;
    assert!(output.stderr.contains(r#"User "carol" cannot get resource "configmaps""#), "{}", output.stderr);

    // A right is gone with its role, from the answer on.
    admin.ok("delete role reader", "").await;
    let output = alice.run("get configmap c", "").await;
    let missing = r#"RBAC: role.rbac.authorization.k8s.io "reader" not found"#;
    assert!(output.stderr.contains(missing), "{}", output.stderr);
    admin.ok("create role reader --verb=get --resource=configmaps", "").await;
    alice.ok("get configmap c", "").await;
    let table = admin.ok("get rolebindings,roles -o wide", "").await;
    assert!(table.contains("Role/reader") && table.contains("alice") && table.contains("readers"), "{table}");
}

#[tokio::test]
async fn who_may_update_or_apply_creates_nothing_by_it() {
    let rig = Rig::start().await;
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    for (user, verbs) in [("alice", json!(["get", "update", "patch"])), ("bob", json!(["create"]))] {
        let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}]);
        rig.post(&format!("{roles}/roles"), &json!({"metadata": {"name": user}, "rules": rules})).await;
        let (role, subjects) = (
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user}),
            json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}, {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "both"}]),
        );
        let binding = json!({"metadata": {"name": user}, "roleRef": role, "subjects": subjects});
        rig.post(&format!("{roles}/rolebindings"), &binding).await;
    }
    let apply = "application/apply-patch+yaml";
    let writes = [
        (
            "PATCH",
            "configmaps",
            "/api/v1/namespaces/default/configmaps/new?fieldManager=me",
            "v1",
            "ConfigMap",
        ),
        ("PUT", "services", "/api/v1/namespaces/default/services/new", "v1", "Service"),
        (
            "PUT",
            "leases.coordination.k8s.io",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/new",
            "coordination.k8s.io/v1",
            "Lease",
        ),
    ];
    for (method, resource, path, api_version, kind) in writes {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "new"}});
        if kind == "Service" {
            object["spec"] = json!({"clusterIP": "None"});
        }
        let call = async |user: &str, path: &str| {
            let content_type = if method == "PATCH" { apply } else { "application/json" };
            let headers = [("impersonate-user", user), ("content-type", content_type)];
            rig.call(method, path, &headers, &object.to_string()).await
        };
        let refused = call("alice", path).await;
        assert_eq!(refused.code, 403, "{method} {kind}: {}", refused.text);
        let message = refused.json["message"].as_str().unwrap();
        let expect = format!("{resource} \"new\" is forbidden: User \"alice\" cannot create resource ");
        assert!(message.starts_with(&expect), "{message}");
        let there = rig.call("GET", path.split('?').next().unwrap(), &[], "").await;
        assert_eq!(there.code, 404, "{method} {kind}");
        assert_eq!(call("bob", path).await.code, 403, "{method} {kind}: creating is not updating either");
        assert_eq!(call("both", path).await.code, 201, "{method} {kind}");
        let changed = call("alice", path).await;
        let expect = if kind == "Lease" { 422 } else { 200 };
        assert_eq!(changed.code, expect, "{method} {kind}: {}", changed.text);
    }
}

#[tokio::test]
async fn nobody_gives_away_more_than_it_has() {
    let rig = Rig::start().await;
    let Some(admin) = Kubectl::new(&rig, "nobody_gives_away_more_than_it_has").await else { return };
    let rules = "--verb=create,get,update,patch --resource=roles,rolebindings";
    admin.ok(&format!("create role granter {rules}"), "").await;
    admin.ok("create role more --verb=get --resource=pods", "").await;
    admin.ok("create rolebinding granter --role=granter --user=alice", "").await;
    let alice = admin.as_user(&rig, "alice", None);

    alice.ok("create role same --verb=get --resource=roles", "").await;
    alice.ok("create rolebinding same --role=same --user=bob", "").await;
    let not_held = "is attempting to grant RBAC permissions not currently held:\n";
    let refused = [
        ("create role more-2 --verb=get --resource=pods", not_held),
        ("create rolebinding more --role=more --user=alice", not_held),
        (
            "create rolebinding more --clusterrole=cluster-admin --user=alice",
            r#"{APIGroups:["*"], Resources:["*"], Verbs:["*"]}"#,
        ),
        (
            "create rolebinding more --role=none --user=alice",
            r#"roles.rbac.authorization.k8s.io "none" not found"#,
        ),
        (
            r#"patch role same --type=json -p [{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]"#,
            r#"Verbs:["delete"]"#,
        ),
    ];
    for (command, expect) in refused {
        let output = alice.run(command, "").await;
        assert!(!output.ok && output.stderr.contains(expect), "{command}: {}", output.stderr);
    }
    // By every way of writing.
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "same"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    });
    for command in ["apply -f -", "apply --server-side --force-conflicts -f -", "replace -f -"] {
        let output = alice.run(command, &role.to_string()).await;
        assert!(!output.ok && output.stderr.contains(not_held), "{command}: {}", output.stderr);
    }
    let output = alice.run("apply --server-side -f -", &role.to_string().replace("same", "new")).await;
    assert!(output.stderr.contains(not_held), "{}", output.stderr);

    // Unless it is allowed to.
    admin.ok("create role binder --verb=bind --resource=roles --resource-name=more", "").await;
    admin.ok("create rolebinding binder --role=binder --user=alice", "").await;
    alice.ok("create rolebinding more --role=more --user=bob", "").await;
    admin.ok("create role escalator --verb=escalate --resource=roles", "").await;
    admin.ok("create rolebinding escalator --role=escalator --user=alice", "").await;
    alice.ok("replace -f -", &role.to_string()).await;
    let changed = json!({"roleRef": {"name": "same"}}).to_string();
    let output = admin.run(&format!("patch rolebinding more -p {changed}"), "").await;
    assert!(output.stderr.contains("cannot change roleRef"), "{}", output.stderr);
}

#[tokio::test]
async fn a_service_account_shows_who_it_is_by_its_token() {
    let rig = Rig::start().await;
    let Some(admin) = Kubectl::new(&rig, "a_service_account_shows_who_it_is").await else { return };
    admin.ok("apply -f -", ROLE).await;
    admin.ok("create serviceaccount robot", "").await;
    admin.ok("create configmap c", "").await;
    let token = admin.ok("create token robot", "").await.trim().to_owned();
    let robot = admin.with_token(&rig, &token);
    robot.ok("get configmap c", "").await;
    let output = robot.run("get secrets", "").await;
    assert!(
        output.stderr.contains(r#"User "system:serviceaccount:default:robot" cannot list"#),
        "{}",
        output.stderr
    );
    let me: Value = serde_json::from_str(&robot.ok("auth whoami -o json", "").await).unwrap();
    let info = &me["status"]["userInfo"];
    assert_eq!(info["username"], "system:serviceaccount:default:robot");
    let groups = ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"];
    assert_eq!(info["groups"], json!(groups));
    let jti = &info["extra"]["authentication.kubernetes.io/credential-id"][0];
    assert!(jti.as_str().unwrap().starts_with("JTI="), "{me}");

    let review =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let seen = rig.post(path, &review).await;
    assert_eq!(seen["status"]["authenticated"], true);
    assert_eq!(seen["status"]["user"]["uid"], info["uid"]);

    // A token for others is none for this API, and the other way round.
    let vault = admin.ok("create token robot --audience vault --duration 10m", "").await;
    let refused = admin.with_token(&rig, vault.trim()).run("get configmap c", "").await;
    assert!(
        refused.stderr.contains("Unauthorized") || refused.stderr.contains("must be logged in"),
        "{}",
        refused.stderr
    );
    let for_vault = |token: &str| json!({"spec": {"token": token.trim(), "audiences": ["vault"]}});
    assert_eq!(rig.post(path, &for_vault(&vault)).await["status"]["audiences"], json!(["vault"]));
    let seen = rig.post(path, &for_vault(&token)).await;
    assert_eq!(seen["status"].get("authenticated"), None, "{seen}");

    // It lives no longer than what it is bound to.
    admin.ok("create secret generic s", "").await;
    let bound = admin.ok("create token robot --bound-object-kind Secret --bound-object-name s", "").await;
    let bound = admin.with_token(&rig, bound.trim());
    bound.ok("get configmap c", "").await;
    admin.ok("delete secret s", "").await;
    assert!(!bound.run("get configmap c", "").await.ok);
    admin.ok("create secret generic s", "").await;
    assert!(!bound.run("get configmap c", "").await.ok, "another secret of the name");
    admin.ok("delete serviceaccount robot", "").await;
    assert!(!robot.run("get configmap c", "").await.ok);
    admin.ok("create serviceaccount robot", "").await;
    assert!(!robot.run("get configmap c", "").await.ok, "another account of the name");

    let short = admin.run("create token robot --duration 1m", "").await;
    assert!(short.stderr.contains("may not specify a duration less than 10 minutes"), "{}", short.stderr);
    let none = admin.run("create token none", "").await;
    assert!(none.stderr.contains(r#"serviceaccounts "none" not found"#), "{}", none.stderr);
}

#[tokio::test]
async fn who_may_acts_as_somebody_else() {
    let rig = Rig::start().await;
    let Some(admin) = Kubectl::new(&rig, "who_may_acts_as_somebody_else").await else { return };
    admin.ok("apply -f -", ROLE).await;
    admin.ok("create configmap c", "").await;
    admin.ok("create serviceaccount robot", "").await;
    for options in ["--as alice", "--as x --as-group readers", "--as system:serviceaccount:default:robot"] {
        admin.ok(&format!("get configmap c {options}"), "").await;
        assert!(!admin.run(&format!("get pods {options}"), "").await.ok, "{options}");
    }
    let me = admin.ok("auth whoami --as x --as-group g --as-uid 7 -o json", "").await;
    let me: Value = serde_json::from_str(&me).unwrap();
    let expect = json!({"username": "x", "uid": "7", "groups": ["g", "system:authenticated"]});
    assert_eq!(me["status"]["userInfo"], expect);

    admin
        .ok("create clusterrole as-alice --verb=impersonate --resource=users --resource-name=alice", "")
        .await;
    admin.ok("create clusterrolebinding as-alice --clusterrole=as-alice --user=bob", "").await;
    let bob = admin.as_user(&rig, "bob", None);
    bob.ok("get configmap c --as alice", "").await;
    let cases = [
        (
            "--as carol",
            r#"users "carol" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope"#,
        ),
        (
            "--as alice --as-group g",
            r#"groups "g" is forbidden: User "bob" cannot impersonate resource "groups""#,
        ),
        ("--as alice --as-uid 7", r#"uids.authentication.k8s.io "7" is forbidden"#),
        (
            "--as system:serviceaccount:default:robot",
            r#"serviceaccounts "robot" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default""#,
        ),
    ];
    for (options, expect) in cases {
        let output = bob.run(&format!("get configmap c {options}"), "").await;
        assert!(!output.ok && output.stderr.contains(expect), "{options}: {}", output.stderr);
    }
    let output = rig.call("GET", "/api/v1/pods", &[("impersonate-group", "g")], "").await;
    assert_eq!(output.code, 500, "{}", output.text);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_also_where_nobody_is_asked() {
    let rig = Rig::start().await;
    let stranger = Https::stranger(&rig.server.kubeconfig(&rig.url).unwrap());
    for token in ["Bearer nonsense", "bearer a.b.c"] {
        let answer = stranger.call("GET", "/healthz", &[("authorization", token)], "").await;
        assert_eq!(answer.code, 401, "{token}");
    }
    for header in ["Basic YTpi", "Bearer", "Bearer "] {
        let answer = stranger.call("GET", "/healthz", &[("authorization", header)], "").await;
        assert_eq!(answer.code, 200, "{header}");
    }
    let keys = rig.call("GET", "/openid/v1/jwks", &[], "").await.json;
    assert_eq!(keys["keys"][0]["kty"], "EC");
    assert_eq!(stranger.call("GET", "/openid/v1/jwks", &[], "").await.code, 403);
}
