//! Backups: of one moment, whole or refused, and a state made of one.

use std::{collections::BTreeMap, path::Path};

use apiserver::{ApiServer, Error, Options, restore};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};

use crate::{https::Https, rig::Rig};

/// A backup that needs nothing else.
const WITH_KEY: &str = "/ebb/backup?withKey=true";
const CMS: &str = "/api/v1/namespaces/default/configmaps";

async fn open(dir: &Path) -> Rig {
    Rig::of(ApiServer::open(Options::new(dir)).await.unwrap()).await
}

async fn config_maps(rig: &Rig) -> BTreeMap<String, Value> {
    let list = rig.call("GET", CMS, &[], "").await.json;
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| (item["metadata"]["name"].as_str().unwrap().to_owned(), item.clone())).collect()
}

#[tokio::test]
async fn a_state_is_made_of_a_backup() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(before.path()).await;
    for number in 0..600 {
        let map = json!({"metadata": {"name": format!("m-{number:03}"), "labels": {"n": "1"}}, "data": {"k": "ä\n\"v\""}});
        rig.post(CMS, &map).await;
    }
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true});
    let spec = json!({"containers": [{"name": "c", "image": "i"}]});
    let pods = "/api/v1/namespaces/default/pods";
    rig.post(pods, &json!({"metadata": {"name": "owned", "ownerReferences": [owner]}, "spec": spec})).await;
    rig.post(pods, &json!({"metadata": {"name": "bare"}, "spec": spec})).await;
    let present = config_maps(&rig).await;
    let backup = rig.call("GET", WITH_KEY, &[], "").await;
    assert_eq!(backup.code, 200);
    let certificate = rig.server.ca_certificate().to_owned();
    rig.server.close().await.unwrap();

    let restored = restore(backup.text.as_bytes(), after.path(), None).unwrap();
    assert_eq!(restored.left_out, 1, "{restored:?}");
    let again = open(after.path()).await;
    assert_eq!(again.server.ca_certificate(), certificate, "clients go on with their kubeconfigs");
    let last = |maps: &BTreeMap<String, Value>| {
        let version =
            |map: &Value| map["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
        (maps.values().map(version).min().unwrap(), maps.values().map(version).max().unwrap())
    };
    let found = config_maps(&again).await;
    assert!(last(&found).0 > last(&present).1, "no version is given twice");
    let without_version = |maps: BTreeMap<String, Value>| -> Vec<Value> {
        let strip = |mut map: Value| {
            map["metadata"].as_object_mut().unwrap().remove("resourceVersion");
            map
        };
        maps.into_values().map(strip).collect()
    };
    assert_eq!(without_version(found), without_version(present));
    assert_eq!(again.call("GET", &format!("{pods}/bare"), &[], "").await.code, 200);
    assert_eq!(again.call("GET", &format!("{pods}/owned"), &[], "").await.code, 404);

    let twice = restore(backup.text.as_bytes(), after.path(), None);
    assert!(matches!(twice, Err(Error::StateExists { .. })), "{twice:?}");
}

#[tokio::test]
async fn what_is_not_served_now_is_in_it_as_well() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(before.path()).await;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({"metadata": {"name": "tabs.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "tabs", "kind": "Tab"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    }});
    rig.post(definitions, &definition).await;
    let tabs = "/apis/example.com/v1/namespaces/default/tabs";
    let tab = json!({"apiVersion": "example.com/v1", "kind": "Tab", "metadata": {"name": "t"}, "k": "v"});
    rig.post(tabs, &tab).await;
    let patch = [("content-type", "application/json-patch+json")];
    let serve = |served: bool| json!([{"op": "replace", "path": "/spec/versions/0/served", "value": served}]);
    let path = format!("{definitions}/tabs.example.com");
    assert_eq!(rig.call("PATCH", &path, &patch, &serve(false).to_string()).await.code, 200);
    assert_eq!(rig.call("GET", tabs, &[], "").await.code, 404);
    let backup = rig.call("GET", WITH_KEY, &[], "").await;
    rig.server.close().await.unwrap();

    restore(backup.text.as_bytes(), after.path(), None).unwrap();
    let again = open(after.path()).await;
    assert_eq!(again.call("PATCH", &path, &patch, &serve(true).to_string()).await.code, 200);
    let found = again.call("GET", &format!("{tabs}/t"), &[], "").await;
    assert_eq!((found.code, &found.json["k"]), (200, &json!("v")), "{}", found.text);
}

#[tokio::test]
async fn a_backup_shows_one_moment() {
    let rig = Rig::start().await;
    // One writer counts in two maps, the second always after the first.
    let body =
        |name: &str, count: u32| json!({"metadata": {"name": name}, "data": {"count": count.to_string()}});
    for name in ["a", "z"] {
        rig.post(CMS, &body(name, 0)).await;
    }
    for filler in 0..300 {
        rig.post(CMS, &body(&format!("m-{filler}"), 0)).await;
    }
    let write = async {
        for count in 1..=200 {
            for name in ["a", "z"] {
                rig.call("PUT", &format!("{CMS}/{name}"), &[], &body(name, count).to_string()).await;
            }
        }
    };
    let read = async {
        for _ in 0..20 {
            let backup = rig.call("GET", "/ebb/backup", &[], "").await.text;
            let count = |name: &str| {
                let key = format!("\"core/configmaps/default/{name}\"");
                let line: Value =
                    serde_json::from_str(backup.lines().find(|line| line.contains(&key)).unwrap()).unwrap();
                line["object"]["data"]["count"].as_str().unwrap().parse::<u32>().unwrap()
            };
            let (a, z) = (count("a"), count("z"));
            assert!(a == z || a == z + 1, "{a} {z}");
        }
    };
    tokio::join!(write, read);
}

#[tokio::test]
async fn what_is_no_whole_backup_changes_nothing() {
    let rig = Rig::start().await;
    let whole = rig.call("GET", "/ebb/backup", &[], "").await.text;
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let cases = [
        (String::new(), "line 1 of the backup: the backup breaks off here"),
        ("{}\n".into(), "line 1 of the backup: not a valid backup line"),
        (lines[1..].concat(), "line 1 of the backup: unexpected line: the header must be the first line"),
        (lines[..lines.len() - 1].concat(), "the backup breaks off here"),
        (whole[..whole.len() / 2].to_owned(), "the backup breaks off here"),
        (whole.replace("\"default\"", "\"defaulT\""), "the backup was changed"),
        ([lines[..3].concat(), lines[4..].concat()].concat(), "the backup was changed"),
        (whole.replace("\"backup\":2", "\"backup\":9"), "restore it with a newer one"),
        (
            whole.replace("{\"backup\"", "{\"file\":\"../x\",\"text\":\"\"}\n{\"backup\""),
            "unexpected line: the header must be the first line",
        ),
    ];
    for (backup, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        let refused = restore(backup.as_bytes(), dir.path(), None).unwrap_err().to_string();
        assert!(refused.contains(words), "{words}: {refused}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{words}: nothing is left");
    }
    assert_eq!(rig.call_as_stranger("/ebb/backup").await.code, 403);
}

#[tokio::test]
async fn who_may_read_every_path_gets_none() {
    let rig = Rig::start().await;
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let role =
        json!({"metadata": {"name": "reader"}, "rules": [{"nonResourceURLs": ["*"], "verbs": ["get"]}]});
    rig.post(&format!("{rbac}/clusterroles"), &role).await;
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "reader"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "alice"}],
    });
    rig.post(&format!("{rbac}/clusterrolebindings"), &binding).await;
    let alice = Https::of(&rig.server.user_kubeconfig(&rig.url, "alice", None).unwrap());
    assert_eq!(alice.call("GET", "/openid/v1/jwks", &[], "").await.code, 200);
    for path in ["/ebb/backup", WITH_KEY] {
        let refused = alice.call("GET", path, &[], "").await;
        assert_eq!(refused.code, 403, "{path}");
        let message = refused.json["message"].as_str().unwrap_or_default();
        assert!(message.contains("backups are for members of system:masters alone"), "{message}");
    }
}

/// What must not be found where it is encrypted.
const SECRET: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn keys_and_secrets_in_it_open_with_the_key_alone() {
    let before = tempfile::tempdir().unwrap();
    let rig = open(before.path()).await;
    let secrets = "/api/v1/namespaces/default/secrets";
    for name in ["a", "b"] {
        rig.post(
            secrets,
            &json!({"metadata": {"name": name}, "stringData": {"of": format!("{name} {SECRET}")}}),
        )
        .await;
    }
    let backup = rig.call("GET", "/ebb/backup", &[], "").await.text;
    let whole = rig.call("GET", WITH_KEY, &[], "").await.text;
    rig.server.close().await.unwrap();
    for text in [SECRET.to_owned(), BASE64.encode(format!("a {SECRET}")), "PRIVATE KEY".into()] {
        assert!(!backup.contains(&text) && !whole.contains(&text), "{text}");
    }
    let key = before.path().join("secrets.key");
    let line = std::fs::read_to_string(&key).unwrap().lines().last().unwrap().to_owned();
    assert!(!backup.contains(&line) && whole.contains(&line));

    let refused = |backup: &str, words: &str| {
        let dir = tempfile::tempdir().unwrap();
        let error = restore(backup.as_bytes(), dir.path(), None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    };
    refused(&backup, "name the file that has it with --secrets-key");
    // Another's Secret in the place of this one.
    let of = |name: &str| {
        let key = format!("core/secrets/default/{name}");
        whole.lines().find(|line| line.contains(&key)).unwrap().to_owned()
    };
    let swapped = whole.replace(&of("a"), &of("b").replace("default/b", "default/a"));
    refused(&swapped, "core/secrets/default/a does not open");

    for (backup, key) in [(&backup, Some(&*key)), (&whole, None)] {
        let after = tempfile::tempdir().unwrap();
        restore(backup.as_bytes(), after.path(), key).unwrap();
        let again = open(after.path()).await;
        let found = again.call("GET", &format!("{secrets}/a"), &[], "").await.json;
        assert_eq!(found["data"]["of"], json!(BASE64.encode(format!("a {SECRET}"))));
        assert_ne!(
            std::fs::read_to_string(after.path().join("secrets.key")).unwrap().lines().last(),
            Some(&*line)
        );
        again.server.close().await.unwrap();
    }
    // Whoever puts the key into the new directory first needs not name it, and goes on with it.
    let after = tempfile::tempdir().unwrap();
    std::fs::copy(&key, after.path().join("secrets.key")).unwrap();
    restore(backup.as_bytes(), after.path(), None).unwrap();
    assert_eq!(std::fs::read(after.path().join("secrets.key")).unwrap(), std::fs::read(&key).unwrap());
    open(after.path()).await.server.close().await.unwrap();
}

#[tokio::test]
async fn a_restore_that_was_killed_can_be_made_again() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(before.path()).await;
    let backup = rig.call("GET", WITH_KEY, &[], "").await.text;
    rig.server.close().await.unwrap();
    // Keys were put in place, the state was not.
    std::fs::create_dir_all(after.path().join("restoring/state")).unwrap();
    std::fs::create_dir_all(after.path().join("pki")).unwrap();
    restore(backup.as_bytes(), after.path(), None).unwrap();
    let again = open(after.path()).await;
    assert_eq!(again.server.ca_certificate(), rig.server.ca_certificate());
    again.server.close().await.unwrap();
    // What no restore has left is somebody's.
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(other.path().join("pki")).unwrap();
    let refused = restore(backup.as_bytes(), other.path(), None);
    assert!(matches!(refused, Err(Error::StateExists { .. })), "{refused:?}");
}
