//! How much disk is used, as its user sees it: files.

use std::{fs, path::Path};

use apiserver::{ApiServer, Options};
use futures::{StreamExt, stream};
use k8s_openapi::ByteString;
use objects::WriteTarget;
use resources::{
    ObjectKey,
    builtin::{ConfigMap, Secret},
};

use crate::rig::{Rig, named};

const SEGMENT: u64 = 64 << 10;
const OBJECTS: usize = 100;
const WRITES: usize = 2500;
const AT_ONCE: usize = 32;
/// Of each object, in bytes.
const VALUE: usize = 1500;

fn value(number: usize) -> String {
    format!("{number:05}").repeat(VALUE / 5)
}

fn used(dir: &Path) -> u64 {
    // What goes meanwhile is not there.
    fs::read_dir(dir).unwrap().filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

#[tokio::test]
async fn churn_takes_no_more_than_three_times_what_is_live() {
    let dir = tempfile::tempdir().unwrap();
    let state = storage::objects::Options { segment_bytes_max: SEGMENT, ..Default::default() };
    let server = ApiServer::open(Options { state, ..Options::new(dir.path()) }).await.unwrap();
    let client = &server.client();
    for number in 0..OBJECTS {
        let metadata = named(&format!("m{number}"));
        let data = Some([("k".to_owned(), value(number))].into());
        client.create(ConfigMap { metadata: metadata.clone(), data, ..Default::default() }).await.unwrap();
        let data = Some([("k".to_owned(), ByteString(value(number).into()))].into());
        client.create(Secret { metadata, data, ..Default::default() }).await.unwrap();
    }
    // A backup has all that is live, and nothing else.
    let backup = Rig::of(server.clone()).await.call("GET", "/ebb/backup", &[], "").await;
    let (live, state) = (backup.text.len() as u64, &dir.path().join("state"));
    let limit = 3 * live + 4 * SEGMENT;
    assert!((WRITES * VALUE) as u64 > limit, "what is written would exceed it: {limit}");
    let writes = stream::iter(0..WRITES).map(|write| async move {
        let key = ObjectKey::new("default", format!("m{}", write * 7 % OBJECTS));
        if write % 2 == 0 {
            let change = |map: &mut ConfigMap| map.data = Some([("k".into(), value(write))].into());
            client.modify(WriteTarget::Object, &key, change).await.unwrap();
        } else {
            let change = |secret: &mut Secret| {
                secret.data = Some([("k".into(), ByteString(value(write).into()))].into());
            };
            client.modify(WriteTarget::Object, &key, change).await.unwrap();
        }
        used(state)
    });
    let most = writes.buffer_unordered(AT_ONCE).fold(0, async |most, used| most.max(used)).await;
    assert!(most <= limit, "{most} bytes on disk for {live} that are live; the limit is {limit}");
    server.close().await.unwrap();
}
