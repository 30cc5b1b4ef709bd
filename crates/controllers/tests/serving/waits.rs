//! Waiting for what a home comes to: always for a condition, and never for longer than its pace allows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use objects::{Event, ListOptions};
use resources::{
    Object,
    condition::READY,
    kinds,
    serving::{Revision, Service},
};
use tokio::time::timeout;

use crate::{
    api::Place,
    home::{Home, is},
};

/// How long things take.
pub(crate) struct Pace {
    /// Whether time is the test's own.
    is_virtual: bool,
    /// Longer than anything a case waits for.
    patience: Duration,
    /// A home that writes nothing for so long has done all there is to do.
    calm: Duration,
}

impl Pace {
    pub(crate) fn of(place: &Place) -> Self {
        let seconds = Duration::from_secs;
        match place {
            Place::InProcess => Self { is_virtual: true, patience: seconds(3600), calm: seconds(300) },
            Place::Remote | Place::Kubernetes(_) => {
                Self { is_virtual: false, patience: seconds(60), calm: seconds(1) }
            }
        }
    }
}

impl Home {
    /// Waits until an object is as it should be, and returns it.
    pub(crate) async fn until<K: Object>(
        &self,
        name: &str,
        what: &str,
        check: impl Fn(&K) -> bool,
    ) -> Arc<K> {
        let options = ListOptions { name: Some(name.to_owned()), ..self.here() };
        let is = |found: &[Arc<K>]| found.first().is_some_and(|object| check(object));
        self.wait(options, &format!("{name} never became {what}"), is).await.remove(0)
    }

    /// As [`Home::until`], of an object that is in no namespace.
    pub(crate) async fn until_of_all<K: Object>(
        &self,
        name: &str,
        what: &str,
        check: impl Fn(&K) -> bool,
    ) -> Arc<K> {
        let options = ListOptions { name: Some(name.to_owned()), ..ListOptions::all() };
        let is = |found: &[Arc<K>]| found.first().is_some_and(|object| check(object));
        self.wait(options, &format!("{name} never became {what}"), is).await.remove(0)
    }

    /// Waits until there is no object of this name.
    pub(crate) async fn gone<K: Object>(&self, name: &str) {
        let options = ListOptions { name: Some(name.to_owned()), ..self.here() };
        self.wait::<K>(options, &format!("{name} never goes"), <[_]>::is_empty).await;
    }

    /// Waits until the objects of a kind are as they should be, and returns them.
    pub(crate) async fn until_all<K: Object>(
        &self,
        what: &str,
        check: impl Fn(&[Arc<K>]) -> bool,
    ) -> Vec<Arc<K>> {
        self.wait(self.here(), &format!("all of them never became {what}"), check).await
    }

    async fn wait<K: Object>(
        &self,
        options: ListOptions,
        complaint: &str,
        check: impl Fn(&[Arc<K>]) -> bool,
    ) -> Vec<Arc<K>> {
        let mut watch = self.watcher.watch::<K>(options);
        let (mut known, mut last, mut synced) = (BTreeMap::new(), Vec::new(), false);
        let waiting = async {
            loop {
                match watch.next().await {
                    Event::Restarted => (known, synced) = (BTreeMap::new(), false),
                    Event::Applied(object) => drop(known.insert(object.key(), object)),
                    Event::Deleted(object) => drop(known.remove(&object.key())),
                    Event::Synced => synced = true,
                }
                last = known.values().cloned().collect();
                if synced && check(&last) {
                    return;
                }
            }
        };
        if timeout(self.pace.patience, waiting).await.is_err() {
            let last: Vec<_> =
                last.iter().map(|object| serde_json::to_string_pretty(&**object).unwrap()).collect();
            panic!("{} {complaint}; last: {}", K::kind().kind, last.join("\n"));
        }
        last
    }

    /// What is waited for; it must come within this time where time is the test's own. A busy machine may take longer.
    pub(crate) async fn within<T>(&self, limit: Duration, waiting: impl Future<Output = T>) -> T {
        if !self.pace.is_virtual {
            return waiting.await;
        }
        timeout(limit, waiting).await.unwrap_or_else(|_| panic!("it took longer than {limit:?}"))
    }

    /// Waits until nothing is written any more.
    pub(crate) async fn quiet(&self) {
        let changes = kinds::all().iter().filter(|kind| kind.namespaced).map(|kind| {
            let watch = self.watcher.watch_kind(kind, self.here());
            Box::pin(stream::unfold(watch, |mut watch| async { Some((watch.next().await, watch)) }))
        });
        let mut changes = stream::select_all(changes);
        let mut last = None;
        let quiet = async {
            while let Ok(change) = timeout(self.pace.calm, changes.next()).await {
                last = change;
            }
        };
        let settled = timeout(self.pace.patience, quiet).await;
        assert!(settled.is_ok(), "it writes for ever; the last was {last:?}");
    }

    pub(crate) async fn service_ready(&self, name: &str) -> Arc<Service> {
        self.until(name, "ready", |service: &Service| {
            service.status.observed_generation == Some(service.generation())
                && is(&service.status.conditions, READY, "True")
        })
        .await
    }

    pub(crate) async fn revision_ready(&self, name: &str) -> Arc<Revision> {
        self.until(name, "ready", |revision: &Revision| is(&revision.status.conditions, READY, "True")).await
    }
}
