use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::json;

use super::*;

fn ours() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "ebb", "cluster": { "server": "https://127.0.0.1:6443" } }],
        "users": [{ "name": "ebb-admin", "user": { "client-key-data": "a2V5" } }],
        "contexts": [{ "name": "ebb", "context": { "cluster": "ebb", "user": "ebb-admin" } }],
        "current-context": "ebb",
    })
}

#[test]
fn the_rest_of_the_file_stays() {
    let check = |theirs: Value, expect: Value| assert_eq!(merge(theirs, &ours()).unwrap(), expect);
    check(Value::Null, ours());
    check(json!({ "clusters": null, "current-context": "" }), ours());
    check(
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                { "name": "prod", "cluster": { "server": "https://prod" }, "x-note": 1 },
                { "name": "ebb", "cluster": { "server": "https://127.0.0.1:7000", "old": true } },
            ],
            "users": [{ "name": "me", "user": { "exec": { "command": "login" } } }],
            "contexts": [{ "name": "prod", "context": { "cluster": "prod", "user": "me" } }],
            "current-context": "prod",
            "preferences": { "colors": true },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                { "name": "prod", "cluster": { "server": "https://prod" }, "x-note": 1 },
                { "name": "ebb", "cluster": { "server": "https://127.0.0.1:6443" } },
            ],
            "users": [
                { "name": "me", "user": { "exec": { "command": "login" } } },
                { "name": "ebb-admin", "user": { "client-key-data": "a2V5" } },
            ],
            "contexts": [
                { "name": "prod", "context": { "cluster": "prod", "user": "me" } },
                { "name": "ebb", "context": { "cluster": "ebb", "user": "ebb-admin" } },
            ],
            "current-context": "prod",
            "preferences": { "colors": true },
        }),
    );
    assert_eq!(merge(json!([]), &ours()).unwrap_err(), "it is not a mapping");
    assert_eq!(merge(json!({ "users": "me" }), &ours()).unwrap_err(), "its `users` is not a list");
}

#[test]
fn a_file_with_a_key_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("deep/config"), directory.path().join("link"));
    write(&path, "first\n").unwrap();
    symlink(&path, &link).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    write(&link, "second\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    // Nothing else is left in the directory.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}
