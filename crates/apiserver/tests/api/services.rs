//! Addresses and node ports of Services: given out before the answer, each to one Service, for as long as that is there.

use std::{collections::BTreeSet, path::Path};

use apiserver::{ApiServer, Options, ServiceRange, restore};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::rig::Rig;

const SERVICES: &str = "/api/v1/namespaces/default/services";

async fn open(dir: &Path) -> Rig {
    Rig::of(ApiServer::open(Options::new(dir)).await.unwrap()).await
}

fn service(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

fn address(service: &Value) -> &str {
    service["spec"]["clusterIP"].as_str().unwrap()
}

/// Why there can be no Service with this address.
async fn refusal(rig: &Rig, ip: &str) -> Option<String> {
    let wanted = service("another", json!({"clusterIP": ip, "ports": [{"port": 1}]}));
    let answer = rig.call("POST", &format!("{SERVICES}?dryRun=All"), &[], &wanted.to_string()).await;
    (answer.code == 422).then(|| answer.json["details"]["causes"][0]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_address_is_its_services_over_restart_and_restore_until_it_goes() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(before.path()).await;
    let ports = json!([{"port": 80}]);
    let made = rig.post(SERVICES, &service("a", json!({"type": "NodePort", "ports": ports}))).await;
    let ip = address(&made).to_owned();
    assert!(ip.starts_with("10.96."), "{made}");
    assert_eq!(made["spec"]["clusterIPs"], json!([ip]));
    let port = made["spec"]["ports"][0]["nodePort"].as_i64().unwrap();
    assert!((30_000..=32_767).contains(&port), "{made}");
    let taken =
        format!("Invalid value: [\"{ip}\"]: failed to allocate IP {ip}: provided IP is already allocated");
    assert_eq!(refusal(&rig, &ip).await, Some(taken.clone()));
    let backup = rig.call("GET", "/ebb/backup?withKey=true", &[], "").await;
    rig.server.close().await.unwrap();

    let rig = open(before.path()).await;
    assert_eq!(refusal(&rig, &ip).await, Some(taken.clone()), "a restart forgets nothing");
    let path = format!("{SERVICES}/a");
    assert_eq!(rig.call("DELETE", &format!("{path}?dryRun=All"), &[], "").await.code, 200);
    assert_eq!(refusal(&rig, &ip).await, Some(taken.clone()), "a dry run frees nothing");
    assert_eq!(rig.call("DELETE", &path, &[], "").await.code, 200);
    assert_eq!(refusal(&rig, &ip).await, None, "what is deleted is free");
    let again = service("again", json!({"type": "NodePort", "ports": [{"port": 1, "nodePort": port}]}));
    rig.post(SERVICES, &again).await;
    rig.server.close().await.unwrap();

    restore(backup.text.as_bytes(), after.path(), None).unwrap();
    let rig = open(after.path()).await;
    assert_eq!(refusal(&rig, &ip).await, Some(taken), "a restored Service has what it had");
}

#[tokio::test]
async fn what_is_refused_or_overtaken_takes_nothing() {
    let services = ServiceRange { prefix: 28, ..ServiceRange::default() };
    let options = Options { services, ..Options::new("") };
    let rig = Rig::of(ApiServer::in_memory(options).await.unwrap()).await;
    // Thirteen are left of sixteen. Each refused write, and each that finds a name taken, would have cost one.
    let spec = || json!({"ports": [{"port": 1}]});
    rig.post(SERVICES, &service("s00", spec())).await;
    for _ in 0..20 {
        let again = rig.call("POST", SERVICES, &[], &service("s00", spec()).to_string()).await;
        assert_eq!(again.code, 409);
        let odd = service("odd", json!({"ports": [{"port": 0}]}));
        assert_eq!(rig.call("POST", SERVICES, &[], &odd.to_string()).await.code, 422);
        let (path, body) = (format!("{SERVICES}?dryRun=All"), service("dry", spec()).to_string());
        let dry = rig.call("POST", &path, &[], &body).await;
        assert_eq!(dry.code, 201);
    }
    for number in 1..13 {
        rig.post(SERVICES, &service(&format!("s{number:02}"), spec())).await;
    }
    let list = rig.call("GET", SERVICES, &[], "").await.json;
    let ips: BTreeSet<&str> = list["items"].as_array().unwrap().iter().map(address).collect();
    assert_eq!(ips.len(), 13, "each has its own: {ips:?}");
    let full = rig.call("POST", SERVICES, &[], &service("full", spec()).to_string()).await;
    assert_eq!((full.code, &full.json["reason"]), (500, &json!("InternalError")), "{}", full.text);
    // A Service without an address is still one.
    rig.post(SERVICES, &service("headless", json!({"clusterIP": "None"}))).await;
}

/// A backup that was changed, with the digest of what it is now.
fn sealed(backup: &str) -> String {
    let (all, end) = backup.trim_end().rsplit_once('\n').unwrap();
    let all = format!("{all}\n");
    let mut end: Value = serde_json::from_str(end).unwrap();
    let digest = Sha256::digest(&all).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    end["end"]["sha256"] = digest.into();
    format!("{all}{end}\n")
}

#[tokio::test]
async fn a_service_that_was_stored_without_an_address_gets_one_at_the_start() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rig = open(before.path()).await;
    let made = rig.post(SERVICES, &service("old", json!({"ports": [{"port": 1}]}))).await;
    let backup = rig.call("GET", "/ebb/backup?withKey=true", &[], "").await.text;
    rig.server.close().await.unwrap();
    // As an Ebb wrote it that gave none. The digest of the backup is made anew.
    let ip = address(&made);
    let old = backup.replace(&format!("\"clusterIP\":\"{ip}\",\"clusterIPs\":[\"{ip}\"],"), "");
    assert_ne!(old, backup);
    restore(sealed(&old).as_bytes(), after.path(), None).unwrap();
    let rig = open(after.path()).await;
    let found = rig.call("GET", &format!("{SERVICES}/old"), &[], "").await.json;
    assert!(address(&found).starts_with("10.96."), "{found}");
    assert_eq!(found["metadata"]["uid"], made["metadata"]["uid"]);
}
