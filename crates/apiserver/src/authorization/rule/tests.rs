use serde_json::{Value, json};

use super::*;

fn rule(value: Value) -> PolicyRule {
    serde_json::from_value(value).unwrap()
}

/// `get apps deployments/scale NAMESPACE NAME`, `-` for what is empty; or `get /path`.
fn asked(text: &str) -> Attributes {
    let words: Vec<String> = text.split(' ').map(|word| if word == "-" { "" } else { word }.into()).collect();
    let asked = match &words[1..] {
        [path] => Asked::Path(path.clone()),
        [group, resource, namespace, name] => {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            Asked::Resource {
                group: group.clone(),
                resource: resource.into(),
                subresource: subresource.into(),
                namespace: namespace.clone(),
                name: name.clone(),
            }
        }
        _ => panic!("{text}"),
    };
    Attributes { verb: words[0].clone(), asked }
}

#[test]
fn what_a_rule_allows() {
    let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]});
    let all = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
    let named =
        json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["*"]});
    let scale = json!({"apiGroups": ["apps"], "resources": ["*/scale", "deployments"], "verbs": ["update"]});
    let log = json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]});
    let paths = json!({"nonResourceURLs": ["/healthz", "/apis/*", "/a*"], "verbs": ["get"]});
    let every_path = json!({"nonResourceURLs": ["*"], "verbs": ["*"]});
    let cases: [(&Value, &str, &[&str], &[&str]); 7] = [
        (
            &pods,
            "pods",
            &["get - pods n p", "list - pods n -", "list - pods - -"],
            &["watch - pods n -", "get - pods/log n p", "get apps pods n p", "get - pod n p", "get /pods"],
        ),
        (&all, "all", &["get - pods n p", "twist g r/s - -", "delete - nodes - x"], &["get /", "get /api"]),
        (
            &named,
            "named",
            &["get - secrets n a", "delete - secrets n b", "list - secrets n a"],
            &[
                "get - secrets n c",
                "list - secrets n -",
                "create - secrets n -",
                "deletecollection - secrets n -",
            ],
        ),
        (
            &scale,
            "scale",
            &[
                "update apps deployments/scale n d",
                "update apps replicasets/scale n r",
                "update apps deployments n d",
            ],
            &[
                "update apps replicasets n r",
                "update apps deployments/status n d",
                "update - replicationcontrollers/scale n r",
                "update apps replicasets/upscale n r",
            ],
        ),
        (
            &log,
            "log",
            &["get - pods/log n p"],
            &["get - pods n p", "get - pods/logs n p", "list - pods/log n p"],
        ),
        (
            &paths,
            "paths",
            &["get /healthz", "get /apis/", "get /apis/apps/v1", "get /api", "get /a"],
            &["get /healthz/x", "post /healthz", "get /", "get - healthz - -", "head /healthz"],
        ),
        (&every_path, "every path", &["get /", "post /x/y", "delete /"], &["get - pods n p"]),
    ];
    for (value, what, allowed, refused) in cases {
        let rule = rule(value.clone());
        for text in allowed {
            assert!(allows(&rule, &asked(text)), "{what}: {text}");
        }
        for text in refused {
            assert!(!allows(&rule, &asked(text)), "{what}: {text}");
        }
    }
}

#[test]
fn a_rule_allows_no_more_than_each_of_its_lists() {
    // Every combination of small lists against every small request: the answer is that of each list alone.
    let lists = [vec![], vec!["a"], vec!["b"], vec!["a", "b"], vec!["*"]];
    let has = |list: &[&str], one: &str| list.contains(&one) || list.contains(&"*");
    let mut tried = 0;
    for (verbs, groups) in lists.iter().flat_map(|one| lists.iter().map(move |two| (one, two))) {
        for (resources, names) in lists.iter().flat_map(|one| lists.iter().map(move |two| (one, two))) {
            let rule = rule(json!({
                "verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names,
            }));
            for request in 0..16_u8 {
                let word = |bit: u8| if request & (1 << bit) == 0 { "a" } else { "b" };
                let text = format!("{} {} {} n {}", word(0), word(1), word(2), word(3));
                // A name is a name: a star is none.
                let named = names.is_empty() || names.contains(&word(3));
                let expect = has(verbs, word(0)) && has(groups, word(1)) && has(resources, word(2)) && named;
                assert_eq!(allows(&rule, &asked(&text)), expect, "{rule:?}: {text}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 5 * 5 * 5 * 5 * 16);
}
