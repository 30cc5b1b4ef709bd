//! Where a case runs: two clients of one API, and a namespace of its own.

use std::{sync::Arc, time::Duration};

use objects::{Client, Event, ListOptions, Watch};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Namespace},
    downcast,
    meta::ObjectMeta,
};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Longer than anything a case waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Home {
    pub(crate) client: Client,
    /// Another one's client, for writes that `client` knows nothing of.
    pub(crate) other: Client,
    pub(crate) namespace: String,
}

impl Home {
    pub(crate) async fn new(client: Client, other: Client, namespace: String) -> Self {
        let metadata = ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() };
        client.create(Namespace { metadata, ..Namespace::default() }).await.unwrap();
        Self { client, other, namespace }
    }

    pub(crate) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(&self.namespace, name)
    }

    pub(crate) fn here(&self) -> ListOptions {
        ListOptions::namespace(&self.namespace)
    }

    /// A ConfigMap that holds one value.
    pub(crate) fn map(&self, name: &str, value: &str) -> ConfigMap {
        self.object(json!({"metadata": {"name": name}, "data": {"value": value}}))
    }

    /// As [`Home::map`], with the label `app`.
    pub(crate) fn labelled(&self, name: &str, app: &str) -> ConfigMap {
        self.object(json!({"metadata": {"name": name, "labels": {"app": app}}}))
    }

    /// An object of this namespace from its JSON.
    pub(crate) fn object<K: Object>(&self, json: Value) -> K {
        let object = downcast::<K>(K::kind().decode_value(json).unwrap()).unwrap();
        let mut object = Arc::unwrap_or_clone(object);
        object.metadata_mut().namespace = Some(self.namespace.clone());
        object
    }

    pub(crate) async fn create<K: Object>(&self, object: K) -> Arc<K> {
        self.client.create(object).await.unwrap()
    }

    /// The names that a list finds, in its order.
    pub(crate) async fn names(&self, options: &ListOptions) -> Vec<String> {
        let found = self.client.list::<ConfigMap>(options).await.unwrap().items;
        found.iter().map(|map| map.name().to_owned()).collect()
    }
}

/// A ConfigMap's value.
pub(crate) fn value(map: &ConfigMap) -> &str {
    map.data.as_ref().and_then(|data| data.get("value")).map_or("", String::as_str)
}

/// The ConfigMap with another value.
pub(crate) fn with_value(map: &ConfigMap, value: impl ToString) -> ConfigMap {
    let mut map = map.clone();
    map.data.get_or_insert_default().insert("value".into(), value.to_string());
    map
}

pub(crate) fn version(object: &impl Object) -> u64 {
    object.metadata().resource_version.as_deref().unwrap().parse().unwrap()
}

/// The next event, which comes soon.
pub(crate) async fn next<K: Object>(watch: &mut Watch<K>) -> Event<K> {
    timeout(PATIENCE, watch.next()).await.expect("the watch tells something")
}

/// What was there when the watch began (or began again); the watch is at its end.
pub(crate) async fn synced<K: Object>(watch: &mut Watch<K>) -> Vec<Arc<K>> {
    let mut there = Vec::new();
    loop {
        match next(watch).await {
            Event::Restarted => there.clear(),
            Event::Applied(object) => there.push(object),
            Event::Deleted(object) => there.retain(|known| known.key() != object.key()),
            Event::Synced => return there,
        }
    }
}

/// The next change; a watch that has to begin again fails the case.
pub(crate) async fn change<K: Object>(watch: &mut Watch<K>) -> (bool, Arc<K>) {
    match next(watch).await {
        Event::Applied(object) => (true, object),
        Event::Deleted(object) => (false, object),
        other => panic!("the watch lost its place: {other:?}"),
    }
}

/// All changes up to the first that `last` recognises.
pub(crate) async fn changes<K: Object>(
    watch: &mut Watch<K>,
    last: impl Fn(bool, &K) -> bool,
) -> Vec<(bool, Arc<K>)> {
    let mut told = Vec::new();
    loop {
        let (there, object) = change(watch).await;
        let end = last(there, &object);
        told.push((there, object));
        if end {
            return told;
        }
    }
}
