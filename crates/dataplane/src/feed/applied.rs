//! Which Ingresses the gateway serves, so that their status can say so.

use std::collections::HashMap;

use parking_lot::Mutex;
use resources::ObjectKey;
use tokio::sync::watch;

/// A state of an Ingress that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The Ingress' uid, since another one may have had the name before.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
}

/// The states of all Ingresses that are served.
#[derive(Debug)]
pub struct Applied {
    served: Mutex<HashMap<ObjectKey, Served>>,
    table: watch::Sender<u64>,
    /// Which kinds have been told whole.
    told: watch::Sender<Told>,
}

/// The kinds that the data plane follows, and whether each has been told whole once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) routes: bool,
    pub(super) revisions: bool,
    pub(super) instances: bool,
}

impl Default for Applied {
    fn default() -> Self {
        Self { served: Mutex::default(), table: watch::channel(0).0, told: watch::channel(Told::default()).0 }
    }
}

impl Applied {
    /// The state of an Ingress that is served; `None` when none is.
    pub fn get(&self, ingress: &ObjectKey) -> Option<Served> {
        self.served.lock().get(ingress).cloned()
    }

    /// The number of the table that is served; changes with each.
    pub fn table(&self) -> watch::Receiver<u64> {
        self.table.subscribe()
    }

    /// Waits until all routes, revisions and instances that were there at the start are known.
    pub async fn synced(&self) {
        let all = |told: &Told| told.routes && told.revisions && told.instances;
        // The sender is in `self`, so the wait cannot fail.
        let _ = self.told.subscribe().wait_for(all).await;
    }

    pub(super) fn tell(&self, tell: impl FnOnce(&mut Told)) {
        self.told.send_modify(tell);
    }

    pub(super) fn set(&self, table: u64, changes: Vec<(ObjectKey, Option<Served>)>) {
        let mut served = self.served.lock();
        for (key, state) in changes {
            match state {
                Some(state) => served.insert(key, state),
                None => served.remove(&key),
            };
        }
        drop(served);
        self.table.send_replace(table);
    }

    pub(super) fn known(&self) -> Vec<ObjectKey> {
        self.served.lock().keys().cloned().collect()
    }
}
