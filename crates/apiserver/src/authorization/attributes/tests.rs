use super::*;

fn of(method: &str, uri: &str) -> Attributes {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    Attributes::of(&Method::from_bytes(method.as_bytes()).unwrap(), path, &Query::parse(Some(query)))
}

#[test]
fn requests_for_resources() {
    // method, path, verb, group, resource/subresource, namespace, name
    let cases = [
        ("GET", "/api/v1/pods", "list", "", "pods", "", ""),
        ("GET", "/api/v1/pods?watch=true", "watch", "", "pods", "", ""),
        ("GET", "/api/v1/pods?watch=false", "list", "", "pods", "", ""),
        ("HEAD", "/api/v1/namespaces/n/pods/p", "get", "", "pods", "n", "p"),
        ("GET", "/api/v1/namespaces/n/pods/p", "get", "", "pods", "n", "p"),
        ("GET", "/api/v1/namespaces/n/pods/p?watch=true", "get", "", "pods", "n", "p"),
        ("GET", "/api/v1/namespaces/n/pods/p/log", "get", "", "pods/log", "n", "p"),
        ("GET", "/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp", "list", "", "pods", "n", "p"),
        ("GET", "/api/v1/namespaces/n/pods?fieldSelector=metadata.name!%3Dp", "list", "", "pods", "n", ""),
        (
            "GET",
            "/api/v1/pods?watch=1&fieldSelector=a%3Db,metadata.name%3D%3Dp",
            "watch",
            "",
            "pods",
            "",
            "p",
        ),
        ("GET", "/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Da/b", "list", "", "pods", "n", ""),
        ("GET", "/api/v1/namespaces/n/pods/p/exec?command=a", "get", "", "pods/exec", "n", "p"),
        ("POST", "/api/v1/namespaces/n/pods/p/exec", "create", "", "pods/exec", "n", "p"),
        ("PUT", "/apis/apps/v1/namespaces/n/deployments/d", "update", "apps", "deployments", "n", "d"),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/n/deployments/d/scale",
            "patch",
            "apps",
            "deployments/scale",
            "n",
            "d",
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/n/deployments",
            "deletecollection",
            "apps",
            "deployments",
            "n",
            "",
        ),
        ("DELETE", "/api/v1/nodes/a", "delete", "", "nodes", "", "a"),
        ("GET", "/api/v1/namespaces", "list", "", "namespaces", "", ""),
        ("GET", "/api/v1/namespaces/n", "get", "", "namespaces", "n", "n"),
        ("PUT", "/api/v1/namespaces/n/finalize", "update", "", "namespaces/finalize", "n", "n"),
        ("PUT", "/api/v1/namespaces/n/status", "update", "", "namespaces/status", "n", "n"),
        ("GET", "/apis/none.example/v3/namespaces/n/things/t", "get", "none.example", "things", "n", "t"),
        ("OPTIONS", "/api/v1/pods", "", "", "pods", "", ""),
        // What is written otherwise is the same.
        ("GET", "/api/v1//namespaces/n%2Dm/pods/", "list", "", "pods", "n-m", ""),
        ("GET", "/api/v1/namespaces/n/p%6Fds/p", "get", "", "pods", "n", "p"),
    ];
    for (method, path, verb, group, resource, namespace, name) in cases {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let [group, resource, subresource, namespace, name] =
            [group, resource, subresource, namespace, name].map(str::to_owned);
        let asked = Asked::Resource { group, resource, subresource, namespace, name };
        assert_eq!(of(method, path), Attributes { verb: verb.into(), asked }, "{method} {path}");
    }
}

#[test]
fn other_requests() {
    let cases = [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/api/v1"),
        ("GET", "/apis/apps"),
        ("GET", "/apis/apps/v1"),
        ("POST", "/ebb/v1/images"),
        ("GET", "/healthz/"),
        ("GET", "/apiss/apps/v1/deployments"),
    ];
    for (method, path) in cases {
        let expect = Attributes { verb: method.to_lowercase(), asked: Asked::Path(path.into()) };
        assert_eq!(of(method, path), expect);
    }
}

#[test]
fn a_refusal_says_what_was_asked() {
    let cases = [
        (
            "GET",
            "/api/v1/namespaces/n/pods/p/log",
            r#"User "x" cannot get resource "pods/log" in API group "" in the namespace "n""#,
        ),
        (
            "GET",
            "/api/v1/nodes",
            r#"User "x" cannot list resource "nodes" in API group "" at the cluster scope"#,
        ),
        ("POST", "/<b>", r#"User "x" cannot post path "/&lt;b&gt;""#),
    ];
    for (method, path, expect) in cases {
        assert_eq!(of(method, path).refusal("x"), expect);
    }
}
