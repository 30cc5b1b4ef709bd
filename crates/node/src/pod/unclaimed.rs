//! What an earlier run of the node has left, until a pod's worker claims it or it is known to be no pod's.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;

use super::{address::Addresses, kubelet::Shared, remains};
use crate::runtime::TakenOver;

/// Sandboxes by their pods' uids. The addresses that they have are taken.
pub(super) struct Unclaimed(Mutex<HashMap<String, TakenOver>>);

impl Unclaimed {
    pub(super) fn new(mut all: Vec<TakenOver>, addresses: &Addresses) -> Self {
        for taken in &mut all {
            // One that is of another range, or another pod's too, is worth nothing.
            taken.addresses.retain(|address| matches!(address, IpAddr::V4(v4) if addresses.take_this(*v4)));
        }
        let by_uid = all.into_iter().map(|taken| (taken.sandbox.to_string(), taken));
        Self(Mutex::new(by_uid.collect()))
    }

    /// What there is of a pod. From then on its addresses are the claimant's.
    pub(super) fn claim(&self, uid: &str) -> Option<TakenOver> {
        self.0.lock().remove(uid)
    }

    /// Whether there is something of a pod.
    pub(super) fn has(&self, uid: &str) -> bool {
        self.0.lock().contains_key(uid)
    }

    /// Removes, beside everything else, what nobody has claimed.
    pub(super) fn remove_rest(&self, shared: &Arc<Shared>) {
        for taken in std::mem::take(&mut *self.0.lock()).into_values() {
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                tracing::info!(pod = %taken.sandbox, "removing what is left of a pod that does not run any more");
                let attempt = || remains::remove_sandbox_and_dir(&shared, &taken.sandbox);
                let told = |why: &str| {
                    tracing::warn!(pod = %taken.sandbox, why, "could not remove all of a pod's sandbox; trying again");
                };
                // Nobody else is to have its addresses while it has.
                if remains::until_gone(attempt, &shared.stop, told).await {
                    give_back(&shared.addresses, &taken.addresses);
                }
            });
        }
    }
}

/// Gives back the addresses of what is not gone on with.
pub(super) fn give_back(pool: &Addresses, addresses: &[IpAddr]) {
    for address in addresses {
        if let IpAddr::V4(address) = address {
            pool.give_back(*address);
        }
    }
}
