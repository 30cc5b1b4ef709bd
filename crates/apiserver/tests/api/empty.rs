//! Kinds of which there are none: who looks at a whole cluster finds them, with nothing in them.

use std::time::Duration;

use apiserver::Limits;
use serde_json::json;

use crate::{kubectl::Kubectl, rig::Rig};

/// The kinds' root, name, name in URLs, whether they have a namespace, and what who makes one is told.
const EMPTY: [(&str, &str, &str, bool, &str); 6] = [
    (
        "/api/v1",
        "PersistentVolume",
        "persistentvolumes",
        false,
        "volumes that outlive their pod; pods have emptyDir",
    ),
    ("/api/v1", "PersistentVolumeClaim", "persistentvolumeclaims", true, "volumes that outlive their pod"),
    ("/apis/apps/v1", "DaemonSet", "daemonsets", true, "DaemonSets; use a Deployment"),
    ("/apis/batch/v1", "CronJob", "cronjobs", true, "CronJobs; run a Pod"),
    (
        "/apis/networking.k8s.io/v1",
        "Ingress",
        "ingresses",
        true,
        "Ingresses and NetworkPolicies; Knative Services",
    ),
    ("/apis/networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true, "Ingresses and NetworkPolicies"),
];

#[tokio::test]
async fn they_are_found_listed_and_watched_and_none_is_made() {
    let limits = Limits { watch_timeout_max: Duration::from_millis(50), ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    for (root, kind, plural, namespaced, told) in EMPTY {
        let resources = rig.call("GET", root, &[], "").await.json["resources"].clone();
        let found = resources.as_array().unwrap().iter().find(|found| found["name"] == plural).unwrap();
        assert_eq!((&found["kind"], &found["verbs"]), (&json!(kind), &json!(["get", "list", "watch"])));

        let home = if namespaced { "/namespaces/default" } else { "" };
        let path = format!("{root}{home}/{plural}");
        let list = rig.call("GET", &path, &[], "").await;
        assert_eq!(list.code, 200, "{plural}: {}", list.text);
        assert_eq!((&list.json["kind"], &list.json["items"]), (&json!(format!("{kind}List")), &json!([])));
        let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
        let table = rig.call("GET", &path, &table, "").await.json;
        assert_eq!((&table["columnDefinitions"][0]["name"], &table["rows"]), (&json!("Name"), &json!([])));
        assert!(table["columnDefinitions"].as_array().unwrap().len() > 2, "{plural} has columns of its own");

        let version = list.json["metadata"]["resourceVersion"].as_str().unwrap();
        let from = format!("{path}?watch=true&resourceVersion={version}&timeoutSeconds=60");
        assert_eq!(rig.watch(&from, &[]).await.next().await, None, "{plural}: nothing comes until it ends");
        let streaming =
            "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        let first = rig.watch(&format!("{path}?{streaming}"), &[]).await.next().await.unwrap();
        assert_eq!(first["type"], "BOOKMARK", "{plural}");

        let one = format!("{path}/a");
        let object = json!({"metadata": {"name": "a"}}).to_string();
        for (method, path) in [("POST", &path), ("PUT", &one), ("PATCH", &one)] {
            let refused = rig.call(method, path, &[], &object).await;
            assert_eq!(refused.code, 405, "{method} {path}: {}", refused.text);
            let message = refused.json["message"].as_str().unwrap();
            assert!(message.contains("this version of Ebb has no ") && message.contains(told), "{message}");
        }
        for method in ["GET", "DELETE"] {
            let missing = rig.call(method, &one, &[], "").await;
            assert_eq!(
                (missing.code, &missing.json["details"]["name"]),
                (404, &json!("a")),
                "{method} {one}"
            );
        }
    }
}

const DAEMON_SET: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: c, image: i}]}
";

#[tokio::test]
async fn kubectl_finds_none_and_is_told_why_it_makes_none() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_finds_none_and_is_told_why_it_makes_none").await else {
        return;
    };
    let none = kubectl.run("get ds,cj,pv,pvc,ing,netpol", "").await;
    assert!(none.ok && none.stdout.is_empty(), "{}{}", none.stdout, none.stderr);
    assert!(none.stderr.contains("No resources found"), "{}", none.stderr);
    let known = kubectl.ok("api-resources --verbs=list,watch -o name", "").await;
    assert!(known.contains("daemonsets.apps") && known.contains("persistentvolumes"), "{known}");
    for command in ["apply -f -", "create -f -", "apply --server-side -f -"] {
        let refused = kubectl.run(command, DAEMON_SET).await;
        let told = "this version of Ebb has no DaemonSets; use a Deployment";
        assert!(!refused.ok && refused.stderr.contains(told), "{command}: {}", refused.stderr);
    }
    kubectl.ok("delete --ignore-not-found -f -", DAEMON_SET).await;
}
