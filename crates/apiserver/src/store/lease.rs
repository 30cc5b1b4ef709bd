//! What changes after a list is kept for a while: who has read it is about to watch from there, or to read its next page.
//! Without it a client whose list takes longer than what is kept for nobody would list a busy kind again and again
//! (upstream: apiserver, watch cache, which keeps what is fresh).

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    time::Duration,
};

use resources::Kind;
use tokio::time::{Instant, sleep_until};

use super::{Store, Stored, state::State, stored::cool_all};

/// For how long changes are kept for who has read a list.
const LEASE: Duration = Duration::from_secs(10);
/// A lease this young does for a list that is no older than its own: who lists in a loop needs no lease a list.
const SHARED_FOR: Duration = Duration::from_millis(250);
/// Leases at once, of all kinds; when there are more the oldest ends.
const LEASES_MAX: usize = 1024;

/// The leases there are, the first to end in front.
#[derive(Default)]
pub(super) struct Leases(VecDeque<Lease>);

struct Lease {
    kind: &'static Kind,
    version: u64,
    begun: Instant,
}

impl Store {
    /// Keeps what changes of a kind after a version for [`LEASE`], as long as the ring can.
    pub(crate) fn lease(self: &Arc<Self>, kind: &'static Kind, version: u64) {
        let is_first = self.lock().lease(kind, version, Instant::now());
        if is_first {
            tokio::spawn(end_leases(Arc::downgrade(self)));
        }
    }

    /// Ends what has been there for long enough. Returns when the next one ends.
    fn end_leases(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        let trimmed = state.end_leases(now);
        let next = state.leases.0.front().map(Lease::end);
        drop(state);
        cool_all(&trimmed);
        next
    }
}

/// Ends leases when their time has come, until there is none.
async fn end_leases(store: Weak<Store>) {
    while let Some(next) = store.upgrade().and_then(|store| store.end_leases(Instant::now())) {
        sleep_until(next).await;
    }
}

impl State {
    /// Whether it is the only lease.
    fn lease(&mut self, kind: &'static Kind, version: u64, now: Instant) -> bool {
        let mut young = self.leases.0.iter().rev().take_while(|lease| now - lease.begun < SHARED_FOR);
        if young.any(|lease| lease.kind.hub() == kind.hub() && lease.version <= version) {
            return false;
        }
        if self.leases.0.len() == LEASES_MAX {
            self.end_oldest();
        }
        self.shelf(kind).ring.lease(version);
        self.leases.0.push_back(Lease { kind, version, begun: now });
        self.leases.0.len() == 1
    }

    /// Ends what has been there for long enough. Returns states whose typed form is to go, outside of the lock.
    fn end_leases(&mut self, now: Instant) -> Vec<Arc<Stored>> {
        let mut trimmed = Vec::new();
        while self.leases.0.front().is_some_and(|lease| lease.end() <= now) {
            if let Some(kind) = self.end_oldest() {
                trimmed.append(&mut self.trim(kind));
            }
        }
        trimmed
    }

    fn end_oldest(&mut self) -> Option<&'static Kind> {
        let Lease { kind, version, .. } = self.leases.0.pop_front()?;
        self.shelf(kind).ring.end_lease(version);
        Some(kind)
    }
}

impl Lease {
    fn end(&self) -> Instant {
        self.begun + LEASE
    }
}

#[cfg(test)]
mod tests;
