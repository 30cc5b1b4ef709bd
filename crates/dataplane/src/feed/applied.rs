//! Which Ingresses the gateway serves, and which of their hosts it does not, so that their status can say so.

use std::collections::HashMap;

use parking_lot::Mutex;
use resources::ObjectKey;
use tokio::sync::watch;

use crate::{Conflict, Standing};

/// A state of an Ingress that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The Ingress' uid, since another one may have had the name before.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// A host of it that another Ingress has.
    pub conflict: Option<Conflict>,
}

/// The states of all Ingresses that are served.
#[derive(Debug)]
pub struct Applied {
    served: Mutex<HashMap<ObjectKey, Served>>,
    table: watch::Sender<u64>,
    /// Kinds whose first list is complete.
    listed: watch::Sender<Listed>,
}

/// The kinds that the data plane follows, and whether the first list of each is complete.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listed {
    pub(super) routes: bool,
    pub(super) revisions: bool,
    pub(super) instances: bool,
}

impl Default for Applied {
    fn default() -> Self {
        Self { served: Mutex::default(), table: watch::Sender::new(0), listed: watch::Sender::default() }
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

    /// Whether the first list of routes is complete and served.
    pub fn routes_listed(&self) -> bool {
        self.listed.borrow().routes
    }

    /// Waits until the first lists of routes, revisions and instances are complete.
    pub async fn synced(&self) {
        let all = |listed: &Listed| listed.routes && listed.revisions && listed.instances;
        // The sender is in `self`, so the wait cannot fail.
        let _ = self.listed.subscribe().wait_for(all).await;
    }

    /// The Ingresses that do not have all of their hosts.
    pub fn conflicting(&self) -> Vec<ObjectKey> {
        let served = self.served.lock();
        served.iter().filter(|(_, state)| state.conflict.is_some()).map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn mark_listed(&self, mark: impl FnOnce(&mut Listed)) {
        self.listed.send_modify(mark);
    }

    /// The table with this number is served: Ingresses have changed in it, or only how they stand.
    pub(super) fn set(
        &self,
        table: u64,
        changes: Vec<(ObjectKey, Option<Served>)>,
        standings: Vec<Standing>,
    ) {
        let mut served = self.served.lock();
        for (key, state) in changes {
            match state {
                Some(state) => served.insert(key, state),
                None => served.remove(&key),
            };
        }
        for Standing { ingress, conflict } in standings {
            if let Some(state) = served.get_mut(&ingress) {
                state.conflict = conflict;
            }
        }
        drop(served);
        self.table.send_replace(table);
    }

    pub(super) fn known(&self) -> Vec<ObjectKey> {
        self.served.lock().keys().cloned().collect()
    }
}
