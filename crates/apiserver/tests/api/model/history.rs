//! What has happened, in the order of versions, and what of it was promised to last.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use apiserver::ApiServer;
use futures::{FutureExt, StreamExt};
use objects::{ChangeKind, Error, ListOptions};
use resources::{
    Kind, Object, ObjectKey,
    builtin::{ConfigMap, Deployment, Pod, Secret},
};
use serde_json::Value;

/// The kinds that are written. Pods can be derived again, so they are written lazily in process; Secrets are encrypted.
pub(crate) fn kinds() -> [&'static Kind; 4] {
    [ConfigMap::kind(), Secret::kind(), Pod::kind(), Deployment::kind()]
}

/// A kind's place among those, and the namespace and name of an object.
pub(crate) type Name = (usize, String);

/// One change: the object as it is after it; `None` when it is gone.
#[derive(Clone)]
struct Change {
    name: Name,
    uid: String,
    object: Option<Value>,
}

/// What a client was told that it has come to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    Version(u64),
    /// This object is gone, or on its way.
    Gone(String),
}

#[derive(Default)]
pub(crate) struct History {
    changes: BTreeMap<u64, Change>,
    promises: Mutex<BTreeSet<Promise>>,
    /// The greatest version ever seen, lost or not.
    given: u64,
    /// The version of the newest change that was there when it was opened last.
    pub(crate) opened_at: u64,
}

impl Clone for History {
    fn clone(&self) -> Self {
        let promises = Mutex::new(self.promises.lock().unwrap().clone());
        Self { changes: self.changes.clone(), promises, given: self.given, opened_at: self.opened_at }
    }
}

impl History {
    pub(crate) fn promise(&self, promise: Promise) {
        self.promises.lock().unwrap().insert(promise);
    }

    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// Holds what a server that was just opened has against what was promised, and forgets what was lost.
    ///
    /// # Errors
    /// The server cannot say what it has.
    pub(crate) async fn check_opened(&mut self, server: &ApiServer) -> Result<(), Error> {
        let version = version(server).await?;
        for promise in &*self.promises.lock().unwrap() {
            match promise {
                Promise::Version(promised) => {
                    assert!(*promised <= version, "{promised} was acknowledged, {version} is the newest");
                }
                Promise::Gone(uid) => {
                    let gone = |change: &Change| {
                        let marked = |object: &Value| object["metadata"].get("deletionTimestamp").is_some();
                        change.uid == *uid && change.object.as_ref().is_none_or(marked)
                    };
                    let there = self.changes.range(..=version).any(|(_, change)| gone(change));
                    assert!(there, "the delete of {uid} was acknowledged and is lost at {version}");
                }
            }
        }
        self.changes.retain(|changed, _| *changed <= version);
        self.opened_at = version;
        self.check_state(server).await
    }

    /// Every object is as the history says, and there is no other.
    ///
    /// # Errors
    /// The server cannot say what it has.
    pub(crate) async fn check_state(&self, server: &ApiServer) -> Result<(), Error> {
        let mut expected = BTreeMap::new();
        for change in self.changes.values() {
            match &change.object {
                Some(object) => expected.insert(change.name.clone(), object.clone()),
                None => expected.remove(&change.name),
            };
        }
        let mut found = BTreeMap::new();
        for (at, kind) in kinds().into_iter().enumerate() {
            let listed = server.client().backend().list(kind, &ListOptions::namespace("default")).await?;
            found.extend(listed.items.iter().map(|object| ((at, name(&**object)), object.to_value())));
        }
        let names = |objects: &BTreeMap<Name, Value>| objects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "at {}", self.opened_at);
        for (name, object) in &expected {
            assert_eq!(&found[name], object, "{name:?}");
        }
        Ok(())
    }

    /// Reads on from where it was: all that has had its place in the order since the server was opened.
    pub(crate) async fn read_on(&mut self, server: &ApiServer) {
        let (client, since) = (server.client(), self.opened_at.to_string());
        for (at, kind) in kinds().into_iter().enumerate() {
            let all = ListOptions::namespace("default");
            let mut changes = client.backend().changes(kind, &all, &since).await.unwrap();
            // All of them are there already.
            while let Some(change) = changes.next().now_or_never() {
                let change = change.expect("a watch in process goes on").unwrap();
                let object = &*change.object;
                let metadata = object.metadata();
                let version: u64 = metadata.resource_version.as_deref().unwrap().parse().unwrap();
                if version <= self.opened_at || self.changes.contains_key(&version) {
                    continue;
                }
                assert!(version > self.given, "{version} was given twice, {} before", self.given);
                let change = Change {
                    name: (at, name(object)),
                    uid: metadata.uid.clone().unwrap(),
                    object: (change.kind != ChangeKind::Deleted).then(|| object.to_value()),
                };
                assert!(self.changes.insert(version, change).is_none(), "{version} was given twice");
            }
        }
        self.given = self.given.max(self.changes.last_key_value().map_or(0, |(version, _)| *version));
    }

    /// The versions of the changes of a kind after another version.
    pub(crate) fn versions(&self, kind: usize, after: u64) -> Vec<u64> {
        let of = |(version, change): (&u64, &Change)| (change.name.0 == kind).then_some(*version);
        self.changes.range(after + 1..).filter_map(of).collect()
    }
}

async fn version(server: &ApiServer) -> Result<u64, Error> {
    // One with nothing in it: this asks no disk.
    let none = ListOptions::namespace("none");
    let listed = server.client().backend().list(ConfigMap::kind(), &none).await?;
    Ok(listed.version.parse().unwrap())
}

fn name(object: &dyn resources::DynObject) -> String {
    ObjectKey::of(object.metadata()).name
}
