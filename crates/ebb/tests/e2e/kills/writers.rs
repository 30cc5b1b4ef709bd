//! Those who write until the server is gone, and know what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
};

use serde_json::{Value, json};

use crate::https::{self, Connection, Gone, Https};

/// Objects of each writer.
const NAMES: usize = 5;
/// What is written, and where.
pub(super) struct Written {
    name: &'static str,
    pub(super) collection: &'static str,
    /// All objects of all writers, by the label that they are marked with.
    pub(super) everything: &'static str,
}

pub(super) const KINDS: [Written; 3] = [
    Written {
        name: "ConfigMap",
        collection: "/api/v1/namespaces/default/configmaps",
        everything: "/api/v1/namespaces/default/configmaps?labelSelector=of%3Dkills",
    },
    Written {
        name: "Secret",
        collection: "/api/v1/namespaces/default/secrets",
        everything: "/api/v1/namespaces/default/secrets?labelSelector=of%3Dkills",
    },
    // Controllers add to these, and do not wait for the disk.
    Written {
        name: "Deployment",
        collection: "/apis/apps/v1/namespaces/default/deployments",
        everything: "/apis/apps/v1/namespaces/default/deployments?labelSelector=of%3Dkills",
    },
];

impl Written {
    /// An object that this write makes.
    pub(super) fn object(&self, name: &str, write: u64) -> Value {
        let metadata =
            json!({"name": name, "labels": {"of": "kills"}, "annotations": {"write": write.to_string()}});
        if self.name != "Deployment" {
            let data = json!({"k": "c2VjcmV0"});
            return json!({"apiVersion": "v1", "kind": self.name, "metadata": metadata, "data": data});
        }
        let pod = json!({"containers": [{"name": "a", "image": "a"}]});
        let template = json!({"metadata": {"labels": {"a": name}}, "spec": pod});
        let spec = json!({"replicas": 0, "selector": {"matchLabels": {"a": name}}, "template": template});
        json!({"apiVersion": "apps/v1", "kind": self.name, "metadata": metadata, "spec": spec})
    }
}

/// An object as it was seen: its version, and the number of the write that made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) version: u64,
    pub(super) write: u64,
}

impl Known {
    pub(super) fn of(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let number = |value: &Value| value.as_str().unwrap().parse().unwrap();
        Self {
            version: number(&metadata["resourceVersion"]),
            write: number(&metadata["annotations"]["write"]),
        }
    }
}

/// What a writer's last call was to make of an object: `None` that it goes.
type Wish = (String, Option<u64>);

/// One writer, with objects that nobody else changes.
pub(super) struct Writer {
    pub(super) kind: usize,
    number: usize,
    writes: u64,
    /// What was acknowledged last, by object; only objects that are there.
    acknowledged: BTreeMap<String, u64>,
    /// What it had called for when the server went: may have happened or not.
    open: Option<Wish>,
    versions: Vec<u64>,
}

impl Writer {
    pub(super) fn new(number: usize) -> Self {
        let (acknowledged, versions) = (BTreeMap::new(), Vec::new());
        Self { kind: number % KINDS.len(), number, writes: 0, acknowledged, open: None, versions }
    }

    /// The versions that it was told of in this round.
    pub(super) fn versions_of_round(&self) -> &[u64] {
        &self.versions
    }

    /// Writes one after another, and tells of each that is acknowledged, until the server is gone. It says when it has a
    /// connection: the server must not go before.
    pub(super) async fn write(
        &mut self,
        home: &Https,
        killed: &AtomicBool,
        begun: &Sender<()>,
        acknowledge: &Sender<()>,
    ) {
        self.versions.clear();
        let mut connection = home.connect().await;
        begun.send(()).expect("somebody waits for it");
        loop {
            match self.one(&mut connection).await {
                // Who counts has enough by now.
                Ok(()) => _ = acknowledge.send(()),
                Err(gone) => {
                    assert!(killed.load(Ordering::SeqCst), "the server was not killed yet: {gone}");
                    return;
                }
            }
        }
    }

    async fn one(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        self.writes += 1;
        let write = self.writes;
        let name = format!("w{}-{}", self.number, write as usize * 7 % NAMES);
        let collection = KINDS[self.kind].collection;
        let one = format!("{collection}/{name}");
        let is_there = self.acknowledged.contains_key(&name);
        let merge = [("content-type", "application/merge-patch+json")];
        let (method, path, headers, body) = match (is_there, write % 4) {
            (false, _) => ("POST", collection, &[][..], KINDS[self.kind].object(&name, write)),
            (true, 0) => ("DELETE", one.as_str(), &[][..], Value::Null),
            (true, _) => {
                let patch = json!({"metadata": {"annotations": {"write": write.to_string()}}});
                ("PATCH", one.as_str(), &merge[..], patch)
            }
        };
        self.open = Some((name.clone(), (method != "DELETE").then_some(write)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = https::try_answer(connection.try_send(method, path, headers, &body).await?).await?;
        assert!([200, 201].contains(&answer.code), "{method} {path}: {}", answer.text);
        if method == "DELETE" {
            self.acknowledged.remove(&name);
        } else {
            let known = Known::of(&answer.json);
            assert_eq!(known.write, write, "{method} {path}: {}", answer.text);
            self.versions.push(known.version);
            self.acknowledged.insert(name, write);
        }
        self.open = None;
        Ok(())
    }

    /// Everything acknowledged is there; what was called for last may be, too.
    pub(super) fn check(&mut self, there: &BTreeMap<String, Known>, round: usize) {
        let prefix = format!("w{}-", self.number);
        let mine = there.iter().filter(|(name, _)| name.starts_with(&prefix));
        let mut found: BTreeMap<String, u64> =
            mine.map(|(name, known)| (name.clone(), known.write)).collect();
        if found != self.acknowledged {
            let (name, write) = self.open.clone().unwrap_or_else(|| {
                panic!("round {round}: {:?} was acknowledged, {found:?} is there", self.acknowledged)
            });
            let mut also = self.acknowledged.clone();
            match write {
                Some(write) => also.insert(name, write),
                None => also.remove(&name),
            };
            assert_eq!(found, also, "round {round}: {:?} was acknowledged", self.acknowledged);
        }
        std::mem::swap(&mut self.acknowledged, &mut found);
        self.open = None;
    }
}
