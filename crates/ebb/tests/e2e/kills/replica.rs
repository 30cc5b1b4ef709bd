//! Who watches, and has what there is at all times: also across a kill.

use std::{collections::BTreeMap, sync::mpsc::Sender};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::writers::{KINDS, Known};
use crate::https::{self, Https, PATIENCE};

/// What a watch has told so far.
pub(super) struct Replica {
    kind: usize,
    objects: BTreeMap<String, Known>,
    /// Everything up to here is in it.
    version: u64,
}

impl Replica {
    pub(super) fn new(kind: usize) -> Self {
        Self { kind, objects: BTreeMap::new(), version: 0 }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Follows until the server is gone, and says when it has begun: it must not go before.
    pub(super) async fn follow(&mut self, home: &Https, begun: &Sender<()>) {
        if self.version == 0 {
            self.list(home).await;
        }
        let mut lines = Lines::begin(home, self.kind, self.version).await;
        begun.send(()).expect("somebody waits for it");
        while let Some(event) = lines.next().await {
            self.take(&event);
        }
    }

    fn take(&mut self, event: &Value) {
        let object = &event["object"];
        assert_ne!(event["type"], json!("ERROR"), "{event}");
        let version: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        assert!(version > self.version, "{version} after {}: {event}", self.version);
        self.version = version;
        if event["type"] == json!("BOOKMARK") {
            return;
        }
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let was_there = match event["type"].as_str().unwrap() {
            "DELETED" => self.objects.remove(&name).is_some(),
            kind => {
                let before = self.objects.insert(name.clone(), Known::of(object));
                assert_eq!(kind == "MODIFIED", before.is_some(), "{event}");
                true
            }
        };
        assert!(was_there, "{event}");
    }

    /// Holds what was told against what is there after a kill; whether the watch could go on where it was.
    pub(super) async fn check(
        &mut self,
        home: &Https,
        there: &BTreeMap<String, Known>,
        round: usize,
    ) -> bool {
        let mut lines = Lines::begin(home, self.kind, self.version).await;
        // Something for it to tell, so that silence can be told from an end.
        let (probe, collection) = (format!("probe-{round}"), KINDS[self.kind].collection);
        let body = KINDS[self.kind].object(&probe, 0).to_string();
        let mut connection = home.connect().await;
        let made = https::answer(connection.send("POST", collection, &[], &body).await).await;
        assert_eq!(made.code, 201, "{}", made.text);
        let mut resumed = true;
        while !self.objects.contains_key(&probe) && resumed {
            let event = lines.next().await.expect("a watch says something");
            resumed = event["type"] != json!("ERROR");
            if resumed {
                self.take(&event);
            } else {
                assert_eq!(event["object"]["code"], json!(410), "{event}");
            }
        }
        if resumed {
            // Nothing was left out between what it had seen and this. Controllers may have written, too.
            self.objects.remove(&probe);
            let writes = |objects: &BTreeMap<String, Known>| -> BTreeMap<String, u64> {
                objects.iter().map(|(name, known)| (name.clone(), known.write)).collect()
            };
            assert_eq!(
                writes(&self.objects),
                writes(there),
                "round {round}: the watch went on to {}",
                self.version
            );
        }
        let gone = connection.send("DELETE", &format!("{collection}/{probe}"), &[], "").await;
        assert_eq!(https::answer(gone).await.code, 200);
        self.list(home).await;
        resumed
    }

    async fn list(&mut self, home: &Https) {
        let everything = KINDS[self.kind].everything;
        let list = https::answer(home.connect().await.send("GET", everything, &[], "").await).await;
        self.version = list.json["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        self.objects = super::objects(&list.json);
    }
}

/// The lines of a watch.
struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    async fn begin(home: &Https, kind: usize, version: u64) -> Self {
        let path =
            format!("{}&watch=1&allowWatchBookmarks=true&resourceVersion={version}", KINDS[kind].everything);
        let response = home.connect().await.send("GET", &path, &[], "").await;
        assert_eq!(response.status(), 200, "GET {path}");
        Self { body: response.into_body(), rest: Vec::new() }
    }

    /// The next event; `None` when the server is gone.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.ok()??;
            self.rest.extend_from_slice(&frame.ok()?.into_data().ok()?);
        }
    }
}
