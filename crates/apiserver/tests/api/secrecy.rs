//! Who has no rights learns nothing of what there is: each kind of request is answered alike for what is there and for what
//! is not.

use std::collections::BTreeSet;

use resources::kinds;
use serde_json::json;

use crate::{https::Answer, rig::Rig};

const NOBODY: &str = "nobody-there";

/// How a request may be sent: method, what follows the object's path, content type, body.
const OF_ONE: &[(&str, &str, &str, &str)] = &[
    ("GET", "", "", ""),
    ("GET", "?pretty=true", "", ""),
    ("HEAD", "", "", ""),
    ("PUT", "", "application/json", "{}"),
    ("PUT", "?dryRun=All", "application/json", "{"),
    ("PATCH", "", "application/json-patch+json", "[]"),
    ("PATCH", "", "application/merge-patch+json", "{}"),
    ("PATCH", "", "application/strategic-merge-patch+json", "{}"),
    ("PATCH", "?fieldManager=me&force=true", "application/apply-patch+yaml", "{}"),
    ("PATCH", "", "text/nonsense", ""),
    ("DELETE", "", "", ""),
    ("DELETE", "?dryRun=All", "application/json", r#"{"preconditions":{"uid":"x"}}"#),
    ("POST", "", "application/json", "{}"),
    ("OPTIONS", "", "", ""),
    ("GET", "/status", "", ""),
    ("PUT", "/status", "application/json", "{}"),
    ("PATCH", "/status", "application/merge-patch+json", "{}"),
    ("GET", "/scale", "", ""),
    ("PATCH", "/scale", "application/merge-patch+json", r#"{"spec":{"replicas":1}}"#),
    ("GET", "/log", "", ""),
    ("GET", "/log?follow=true", "", ""),
    ("POST", "/exec?command=id", "", ""),
    ("POST", "/token", "application/json", "{}"),
    ("PUT", "/finalize", "application/json", "{}"),
    ("POST", "/eviction", "application/json", "{}"),
    ("GET", "/no-such-part", "", ""),
    ("GET", "/status/more", "", ""),
];

/// Likewise of what follows the path of all objects of a kind in a namespace.
const OF_ALL: &[(&str, &str, &str, &str)] = &[
    ("GET", "", "", ""),
    ("GET", "?watch=true", "", ""),
    ("GET", "?labelSelector=a%3Db&limit=1", "", ""),
    ("GET", "?fieldSelector=metadata.name%3Dx", "", ""),
    ("GET", "?resourceVersion=1&resourceVersionMatch=Exact", "", ""),
    ("GET", "?continue=nonsense", "", ""),
    ("POST", "", "application/json", "{}"),
    ("DELETE", "", "", ""),
];

/// What an answer tells, with the name that was asked for taken out.
fn told(answer: &Answer, name: &str) -> (u16, String, String) {
    let headers =
        answer.headers.iter().filter(|(header, _)| *header != "date" && *header != "content-length");
    (answer.code, format!("{:?}", headers.collect::<Vec<_>>()), answer.text.replace(name, "NAME"))
}

#[tokio::test]
async fn who_has_no_rights_learns_nothing_of_what_there_is() {
    let rig = Rig::start().await;
    let default = "/api/v1/namespaces/default";
    rig.post(&format!("{default}/configmaps"), &json!({"metadata": {"name": "an-object"}})).await;
    rig.post(&format!("{default}/secrets"), &json!({"metadata": {"name": "an-object"}})).await;
    let pod = json!({"containers": [{"name": "c", "image": "i"}]});
    rig.post(&format!("{default}/pods"), &json!({"metadata": {"name": "an-object"}, "spec": pod})).await;
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod});
    let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    rig.post(deployments, &json!({"metadata": {"name": "an-object"}, "spec": spec})).await;
    let definition = json!({"metadata": {"name": "theres.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "theres", "kind": "There"},
        "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object"}}}],
    }});
    rig.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await;
    let theres = "/apis/example.com/v1/namespaces/default/theres";
    rig.post(
        theres,
        &json!({"apiVersion": "example.com/v1", "kind": "There", "metadata": {"name": "an-object"}}),
    )
    .await;

    // One object of each kind that there is one of: the path of all of the kind, its own name and namespace.
    let mut there = vec![(theres.to_owned(), "an-object".to_owned(), "default".to_owned())];
    for kind in kinds::all() {
        let base =
            if kind.group.is_empty() { "/api/v1".into() } else { format!("/apis/{}", kind.api_version()) };
        let list = rig.call("GET", &format!("{base}/{}", kind.plural), &[], "").await;
        let items = list.json["items"].as_array().into_iter().flatten();
        let mut names = items.map(|item| {
            let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default();
            (text("namespace"), text("name"))
        });
        // Its name is taken out of answers, and must not be in them for another reason.
        let Some((namespace, name)) = names.find(|(namespace, name)| namespace != name) else { continue };
        let within = if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        there.push((format!("{base}{within}/{}", kind.plural), name.to_owned(), namespace.to_owned()));
    }
    assert!(there.len() > 8, "{there:?}");

    let mut codes = BTreeSet::new();
    for user in ["alice", "system:anonymous"] {
        for (all, name, namespace) in &there {
            let call = async |(method, rest, content_type, body): &(&str, &str, &str, &str), path: &str| {
                let mut headers = vec![("impersonate-user", user)];
                headers.extend(Some(("content-type", *content_type)).filter(|_| !content_type.is_empty()));
                rig.call(method, &format!("{path}{rest}"), &headers, body).await
            };
            for request in OF_ONE {
                let found = told(&call(request, &format!("{all}/{name}")).await, name);
                let missing = told(&call(request, &format!("{all}/{NOBODY}")).await, NOBODY);
                assert_eq!(found, missing, "{user}: {request:?} {all}/{name}");
                codes.insert(found.0);
            }
            for request in OF_ALL {
                let found = told(&call(request, all).await, namespace);
                let elsewhere =
                    all.replace(&format!("/namespaces/{namespace}/"), &format!("/namespaces/{NOBODY}/"));
                let missing = told(
                    &call(request, &elsewhere).await,
                    if elsewhere == *all { namespace } else { NOBODY },
                );
                assert_eq!(found, missing, "{user}: {request:?} {all}");
                codes.insert(found.0);
            }
        }
    }
    assert_eq!(codes, BTreeSet::from([403]), "nothing but refusals");
}
