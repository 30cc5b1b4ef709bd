use std::collections::BTreeMap;

use objects::{Client, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Secret},
    meta::ObjectMeta,
};
use serde_json::Value;

use super::*;
use crate::{ApiServer, Options};

fn named(name: String) -> ObjectMeta {
    ObjectMeta { name: Some(name), namespace: Some("default".into()), ..ObjectMeta::default() }
}

/// Writes objects `m-0`, `m-1`, … again and again.
async fn write<K: Object + PartialEq>(client: &Client, times: usize) {
    for time in 0..times {
        let key = ObjectKey::new("default", format!("m-{}", time % 600));
        let label = |object: &mut K| {
            let labels = object.metadata_mut().labels.get_or_insert_default();
            let count = labels.get("late").and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
            labels.insert("late".to_owned(), (count + 1).to_string());
        };
        client.modify(WriteTarget::Object, &key, label).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_written_meanwhile_does_not_break_it_off() {
    let server = ApiServer::in_memory(Options::new("")).await.unwrap();
    let client = server.client();
    for number in 0..600 {
        let metadata = named(format!("m-{number}"));
        client.create(ConfigMap { metadata: metadata.clone(), ..ConfigMap::default() }).await.unwrap();
        client.create(Secret { metadata, ..Secret::default() }).await.unwrap();
    }
    let mut taking = Taking::new(Arc::clone(&server.shared), false);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    while let Some(piece) = taking.next().await.unwrap() {
        for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut line: Value = serde_json::from_slice(line).unwrap();
            if let Some(key) = line["key"].as_str().map(str::to_owned) {
                assert_eq!(found.insert(key.clone(), line["object"].take()), None, "{key} is there twice");
            }
        }
        // More between two pages than is kept for nobody; by the end more than is kept for anybody.
        write::<ConfigMap>(&client, 100).await;
        write::<Secret>(&client, 600).await;
    }
    for kind in ["configmaps", "secrets"] {
        for number in 0..600 {
            let object = &found[&format!("core/{kind}/default/m-{number}")];
            assert_eq!(object["metadata"].get("labels"), None, "{kind} {number} is of another moment");
        }
    }
}
