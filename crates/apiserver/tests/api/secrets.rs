//! Secrets on disk: nowhere to be read, and of no use without their key.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use apiserver::{ApiServer, Error, Options};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde_json::json;
use storage::objects::{Durability, ObjectStore, Op};
use tokio::time::{sleep, timeout};

use crate::rig::{PATIENCE, Rig};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// What must not be found on the disk, and what is as an example that the search would find it.
const SECRET: &str = "correct-horse-battery-staple";
const OPEN: &str = "anybody-may-read-this-configuration";

async fn open(dir: &Path) -> Rig {
    Rig::of(ApiServer::open(Options::new(dir)).await.unwrap()).await
}

/// Every file below a directory.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            // Others go while it is looked for.
            found.insert(path, bytes);
        }
    }
    found
}

/// The files that have this text, as it is or as Secrets have it.
fn with(dir: &Path, text: &str) -> Vec<PathBuf> {
    // Two bytes at either end may share a digit with their neighbours.
    let encoded = BASE64.encode(text);
    let forms = [text.as_bytes(), &encoded.as_bytes()[..encoded.len() - 4]];
    let has = |bytes: &[u8]| forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == *form));
    files(dir).into_iter().filter(|(_, bytes)| has(bytes)).map(|(path, _)| path).collect()
}

#[tokio::test]
async fn no_secret_is_readable_in_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let rig = open(dir.path()).await;
    let secret = |name: &str| json!({"metadata": {"name": name}, "stringData": {"k": SECRET}});
    rig.post(SECRETS, &secret("a")).await;
    let patch = json!({"data": {"again": BASE64.encode(SECRET)}}).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    assert_eq!(rig.call("PATCH", &format!("{SECRETS}/a"), &merge, &patch).await.code, 200);
    let apply = [("content-type", "application/apply-patch+yaml")];
    let applied =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}, "stringData": {"k": SECRET}});
    let path = format!("{SECRETS}/b?fieldManager=me");
    assert_eq!(rig.call("PATCH", &path, &apply, &applied.to_string()).await.code, 201);
    rig.post(SECRETS, &secret("gone")).await;
    assert_eq!(rig.call("DELETE", &format!("{SECRETS}/gone"), &[], "").await.code, 200);
    rig.post(MAPS, &json!({"metadata": {"name": "m"}, "data": {"k": OPEN}})).await;
    for _ in ["while it runs", "when it is closed"] {
        assert_eq!(with(dir.path(), SECRET), Vec::<PathBuf>::new());
        assert_eq!(with(dir.path(), OPEN).len(), 1);
        rig.server.close().await.unwrap();
    }
    let again = open(dir.path()).await;
    let found = again.call("GET", &format!("{SECRETS}/a"), &[], "").await.json;
    assert_eq!(found["data"], json!({"again": BASE64.encode(SECRET), "k": BASE64.encode(SECRET)}));
    let mode = fs::metadata(dir.path().join("secrets.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_state_without_its_key_is_refused_and_left_alone() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(dir.path()).await;
    rig.post(SECRETS, &json!({"metadata": {"name": "a"}, "stringData": {"k": SECRET}})).await;
    rig.server.close().await.unwrap();
    let (key, away) = (dir.path().join("secrets.key"), elsewhere.path().join("secrets.key"));
    fs::rename(&key, &away).unwrap();
    let refused = async |options: Options, words: [&str; 3]| {
        let before = files(dir.path());
        let error = ApiServer::open(options).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::SecretsKey { .. }), "{error}");
        for words in words {
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
        assert_eq!(files(dir.path()), before);
    };
    refused(Options::new(dir.path()), ["secrets.key", "it is not there", "--secrets-key"]).await;
    let other = elsewhere.path().join("other.key");
    fs::write(&other, BASE64.encode([7; 32])).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    let with = |file: &Path| Options { secrets_key: Some(file.to_owned()), ..Options::new(dir.path()) };
    refused(with(&other), ["other.key", "does not hold the key", "--secrets-key"]).await;
    fs::copy(&other, &key).unwrap();
    refused(Options::new(dir.path()), ["secrets.key", "does not hold the key", "--secrets-key"]).await;
    fs::remove_file(&key).unwrap();
    // Named where it is now, it opens; and the directory does not get one of its own.
    let rig = Rig::of(ApiServer::open(with(&away)).await.unwrap()).await;
    assert_eq!(rig.call("GET", &format!("{SECRETS}/a"), &[], "").await.code, 200);
    rig.server.close().await.unwrap();
    assert!(!key.exists());
}

/// Waits until a directory is as it should be.
async fn until(mut is_so: impl FnMut() -> bool) {
    timeout(PATIENCE, async {
        while !is_so() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it comes to be so");
}

#[tokio::test]
async fn a_key_is_changed_and_the_old_one_can_go() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(dir.path()).await;
    rig.post(SECRETS, &json!({"metadata": {"name": "a"}, "stringData": {"k": SECRET}})).await;
    rig.server.close().await.unwrap();
    let own = dir.path().join("secrets.key");
    let mine = elsewhere.path().join("mine.key");
    fs::write(&mine, BASE64.encode([7; 32])).unwrap();
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o600)).unwrap();
    let options = Options { secrets_key: Some(mine), ..Options::new(dir.path()) };
    let rig = Rig::of(ApiServer::open(options.clone()).await.unwrap()).await;
    // The old segment goes when all of it was written anew.
    until(|| !dir.path().join("state/00000001.segment").exists()).await;
    rig.server.close().await.unwrap();
    fs::remove_file(&own).unwrap();
    let rig = Rig::of(ApiServer::open(options).await.unwrap()).await;
    let found = rig.call("GET", &format!("{SECRETS}/a"), &[], "").await.json;
    assert_eq!(found["data"]["k"], json!(BASE64.encode(SECRET)));
    assert_eq!(with(dir.path(), SECRET), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_an_older_ebb_has_written_openly_is_encrypted_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) =
        ObjectStore::open(dir.path().join("state"), storage::objects::Options::default()).unwrap();
    let metadata = json!({"name": "old", "namespace": "default", "uid": "u", "resourceVersion": "1"});
    let old = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"k": BASE64.encode(SECRET)}});
    store.append("core/secrets/default/old", Op::bytes(old.to_string()), Durability::Wait).unwrap();
    store.close().unwrap();
    drop(store);
    assert_eq!(with(dir.path(), SECRET).len(), 1);
    let rig = open(dir.path()).await;
    let found = rig.call("GET", &format!("{SECRETS}/old"), &[], "").await.json;
    assert_eq!(found["data"]["k"], json!(BASE64.encode(SECRET)));
    until(|| with(dir.path(), SECRET).is_empty()).await;
    rig.server.close().await.unwrap();
    let found = open(dir.path()).await.call("GET", &format!("{SECRETS}/old"), &[], "").await.json;
    assert_eq!(found["metadata"]["resourceVersion"], json!("1"));
}
