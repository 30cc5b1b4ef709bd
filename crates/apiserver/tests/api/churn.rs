//! Lists and watches while others write: what is seen is always a state that was.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use apiserver::{ApiServer, Limits, Options};
use objects::{Client, DeleteOptions, Error, Event, ListOptions};
use resources::{Object, ObjectKey, builtin::ConfigMap};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::rig::{PATIENCE, named};

/// Writes of the one writer.
const WRITES: usize = 3000;
/// Objects that come and go.
const OBJECTS: usize = 40;

/// The names that there were at each version, and the version of each.
type History = Arc<Mutex<BTreeMap<u64, BTreeMap<String, String>>>>;

async fn write(client: Client, history: History) {
    let mut present = BTreeMap::new();
    for round in 0..WRITES {
        let name = format!("m{:02}", round * 7 % OBJECTS);
        let key = ObjectKey::new("default", name.as_str());
        let map = ConfigMap {
            metadata: named(&name),
            data: Some([("round".to_owned(), round.to_string())].into()),
            ..ConfigMap::default()
        };
        let version = match (present.contains_key(&name), round % 3) {
            (false, _) => client.create(map).await.unwrap().metadata.resource_version.clone(),
            (true, 0) => {
                client.delete::<ConfigMap>(&key, &DeleteOptions::default()).await.unwrap();
                None
            }
            (true, _) => client.update(map).await.unwrap().metadata.resource_version.clone(),
        };
        match version {
            Some(version) => {
                present.insert(name, version.clone());
                history.lock().unwrap().insert(version.parse().unwrap(), present.clone());
            }
            None => drop(present.remove(&name)),
        }
        tokio::task::yield_now().await;
    }
}

/// Reads page by page; a list that expires is begun again.
async fn read(client: Client, history: History, done: CancellationToken) -> usize {
    let mut checked = 0;
    while !done.is_cancelled() {
        let mut options = ListOptions { limit: 7, ..ListOptions::namespace("default") };
        let mut found = BTreeMap::new();
        let version = loop {
            let page = match client.backend().list(ConfigMap::kind(), &options).await {
                Ok(page) => page,
                Err(Error::Expired(_)) => break None,
                Err(error) => panic!("{error}"),
            };
            found.extend(page.items.iter().map(|object| {
                let metadata = object.metadata();
                (metadata.name.clone().unwrap(), metadata.resource_version.clone().unwrap())
            }));
            // The writer goes on between two pages.
            tokio::task::yield_now().await;
            options.continue_token = page.next;
            if options.continue_token.is_none() {
                break Some(page.version.parse::<u64>().unwrap());
            }
        };
        let Some(version) = version else { continue };
        let history = history.lock().unwrap();
        if let Some(expect) = history.get(&version) {
            assert_eq!(&found, expect, "at {version}");
            checked += 1;
        }
    }
    checked
}

/// Follows with a watch until the writer has ended; then what it knows is what there is.
async fn follow(client: Client) {
    let mut watch = client.watch::<ConfigMap>(ListOptions::namespace("default"));
    let mut known = BTreeMap::new();
    // While it lists, a watch has told a part only.
    let mut listing = true;
    while listing || !known.contains_key("end") {
        match watch.next().await {
            Event::Restarted => {
                known.clear();
                listing = true;
            }
            Event::Synced => listing = false,
            Event::Applied(map) => {
                known.insert(map.name().to_owned(), map.metadata.resource_version.clone());
            }
            Event::Deleted(map) => {
                known.remove(map.name());
            }
        }
    }
    let list = client.list::<ConfigMap>(&ListOptions::namespace("default")).await.unwrap();
    let there = list.items.iter().map(|map| (map.name().to_owned(), map.metadata.resource_version.clone()));
    assert_eq!(known, there.collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_seen_is_a_state_that_was() {
    let limits = Limits {
        changes_per_kind_max: 200,
        typed_changes_per_kind_max: 8,
        typed_objects_max: 8,
        ..Limits::default()
    };
    let client = ApiServer::in_memory(Options { limits, ..Options::new("") }).await.unwrap().client();
    let history = History::default();
    let done = CancellationToken::new();
    let readers: Vec<_> =
        (0..2).map(|_| tokio::spawn(read(client.clone(), history.clone(), done.clone()))).collect();
    let watchers: Vec<_> = (0..2).map(|_| tokio::spawn(follow(client.clone()))).collect();
    write(client.clone(), history).await;
    client.create(ConfigMap { metadata: named("end"), ..ConfigMap::default() }).await.unwrap();
    done.cancel();
    for reader in readers {
        assert!(reader.await.unwrap() > 0, "no list was whole");
    }
    for watcher in watchers {
        timeout(PATIENCE, watcher).await.expect("the watch arrives").unwrap();
    }
}
