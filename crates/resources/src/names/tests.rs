//! Names as upstream makes them.

use std::collections::BTreeMap;

use super::*;
use crate::{
    config::{Configs, Domain},
    meta::ObjectMeta,
};

#[test]
fn child_names() {
    let long = "a".repeat(63);
    // The hashes are those of `printf %s … | md5sum`.
    let cases = [
        ("app", "-deployment", "app-deployment".to_owned()),
        (&"a".repeat(52), "-deployment", format!("{}-deployment", "a".repeat(52))),
        (&long, "-deployment", format!("{}b06521f39153d618550606be297466d5-deployment", "a".repeat(20))),
        (&long, "", long.clone()),
    ];
    for (parent, suffix, expect) in cases {
        let name = child_name(parent, suffix);
        assert_eq!(name, expect, "{parent}{suffix}");
        assert!(name.len() <= 63);
    }
    // A suffix that leaves no room for the parent is cut itself, at a letter or digit.
    let name = child_name("parent", &format!("-{}", "b-".repeat(40)));
    assert!(name.starts_with("parent") && name.len() <= 63 && !name.ends_with('-'), "{name}");
    assert_eq!(revision("app", 1), "app-00001");
    assert_eq!(revision("app", 123_456), "app-123456");
    assert_eq!(private_service("app-00001"), "app-00001-private");
    assert_eq!(image_cache("app-00001", "user-container"), "app-00001-cache-user-container");
}

fn route(labels: &[(&str, &str)]) -> ObjectMeta {
    let labels: BTreeMap<_, _> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ObjectMeta {
        name: Some("app".to_owned()),
        namespace: Some("shop".to_owned()),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

fn configs(map: &str, data: &[(&str, &str)]) -> Configs {
    let mut configs =
        Configs { domain: Domain::new("cluster.local", Some("localhost")), ..Configs::default() };
    let data = data.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    configs.apply(map, &data).unwrap();
    configs
}

#[test]
fn hosts() {
    let domains: &[(&str, &str)] = &[
        ("example.com", ""),
        ("shop.org", "selector: {app: shop}"),
        ("big.shop.org", "{selector: {app: shop, size: big}}"),
    ];
    let plain = configs("config-domain", &[]);
    let several = configs("config-domain", domains);
    let templates = configs(
        "config-network",
        &[
            ("domain-template", "{{ .Name }}-{{index .Labels \"team\"}}.{{.Domain}}"),
            ("tag-template", "{{.Name}}-{{.Tag}}"),
        ],
    );
    for (configs, labels, tag, local, expect) in [
        (&plain, &[][..], "", false, "app.shop.localhost"),
        (&plain, &[], "v2", false, "v2-app.shop.localhost"),
        (&plain, &[], "v2", true, "v2-app.shop.svc.cluster.local"),
        (&several, &[], "", false, "app.shop.example.com"),
        (&several, &[("app", "shop")], "", false, "app.shop.shop.org"),
        (&several, &[("app", "shop"), ("size", "big")], "", false, "app.shop.big.shop.org"),
        (&templates, &[("team", "blue")], "v2", false, "app-v2-blue.localhost"),
        (&templates, &[("team", "blue")], "", true, "app.shop.svc.cluster.local"),
    ] {
        let host = route_host(&route(labels), tag, local, &configs.domain, &configs.network);
        assert_eq!(host.as_deref(), Ok(expect), "{labels:?} {tag}");
    }
    // Without the label the template makes a part of the host that is no name.
    let error = route_host(&route(&[]), "", false, &templates.domain, &templates.network).unwrap_err();
    assert!(
        error.to_string().starts_with("domain name error: invalid domain name \"app-.localhost\""),
        "{error}"
    );
}

#[test]
fn who_is_cluster_local() {
    let upstream = Configs::default();
    let public = configs("config-domain", &[]);
    assert!(is_route_cluster_local(&route(&[]), &upstream.domain), "there is no other domain");
    assert!(!is_route_cluster_local(&route(&[]), &public.domain));
    let labelled = route(&[("networking.knative.dev/visibility", "cluster-local")]);
    assert!(is_route_cluster_local(&labelled, &public.domain));
    assert_eq!(
        cluster_local_hosts("app", "shop", "cluster.local"),
        ["app.shop", "app.shop.svc", "app.shop.svc.cluster.local"]
    );
    assert_eq!(
        cluster_local_hosts("app", "123", "cluster.local"),
        ["app.123.svc", "app.123.svc.cluster.local"]
    );
    assert!(
        is_cluster_local("a.b.svc.cluster.local", "cluster.local")
            && !is_cluster_local("a.notcluster.local", "cluster.local")
    );
}

#[test]
fn urls_work_as_shown() {
    for (scheme, port, expect) in [
        ("http", 80, "http://app.localhost"),
        ("http", 8080, "http://app.localhost:8080"),
        ("https", 443, "https://app.localhost"),
        ("http", 443, "http://app.localhost:443"),
    ] {
        assert_eq!(url(scheme, "app.localhost", port), expect);
    }
}

#[test]
fn templates_that_are_refused() {
    for (text, expect) in [
        ("{{.Name", "the template `{{.Name` has `{{`, which is never closed by }}"),
        (
            "{{if .Name}}x{{end}}",
            "the template `{{if .Name}}x{{end}}` has `{{if .Name}}`, which is not one of",
        ),
        (
            "{{index .Spec \"a\"}}",
            "the template `{{index .Spec \"a\"}}` has `{{index .Spec \"a\"}}`, which is not one of",
        ),
        ("{{- .Name -}}", "the template `{{- .Name -}}` has `{{- .Name -}}`, which is not one of"),
    ] {
        let error = text.parse::<Template>().unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    }
}

#[test]
fn what_a_name_is() {
    type Rule = fn(&str) -> Vec<String>;
    let cases: &[(Rule, &[&str], &[&str])] = &[
        (dns::label, &["a", "1-a"], &["", "-a", "a-", "A", "a.b", "a_b"]),
        (dns::label_1035, &["a", "a-1"], &["", "1a", "a.b"]),
        (dns::subdomain, &["a", "a.b", "1.2"], &["", "a..b", ".a", "A.b"]),
        (dns::qualified_name, &["a", "A_b.c", "example.com/a"], &["", "/a", "a/", "a/b/c", "-a", "Ex_a/b"]),
        (dns::label_value, &["", "a", "A.b_c"], &["-a", "a b"]),
        (dns::config_key, &["a", ".a", "A_b-c.d"], &["", ".", "..", "..a", "a/b"]),
        (dns::env_name, &["A", "a-b.c", "1"], &["", "a=b", "é"]),
        (dns::port_name, &["http", "h2c", "a-b"], &["", "80", "a--b", "-a", "A", "abcdefghijklmnop"]),
        (dns::domain_name, &["a.b", "a.b."], &["a", "a..b", ""]),
    ];
    for (rule, good, bad) in cases {
        for name in *good {
            assert_eq!(rule(name), Vec::<String>::new(), "{name}");
        }
        for name in *bad {
            assert!(!rule(name).is_empty(), "{name}");
        }
    }
    assert!(dns::label(&"a".repeat(64))[0].ends_with("63 characters"));
}
