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

/// The leases there are.
pub(super) struct Leases {
    limits: LeaseLimits,
    /// The first to end in front.
    leases: VecDeque<Lease>,
}

/// For how long how much is kept for who has read a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeaseLimits {
    pub(super) lasts: Duration,
    /// A lease this young does for a list that is no older than its own: who lists in a loop needs no lease a list.
    pub(super) shared_for: Duration,
    /// When there are more, the kind's oldest ends.
    pub(super) per_kind_max: usize,
}

struct Lease {
    kind: &'static Kind,
    version: u64,
    begun: Instant,
}

impl Store {
    /// Keeps what changes of a kind after a version for a while, as long as the ring can.
    pub(super) fn lease(self: &Arc<Self>, kind: &'static Kind, version: u64) {
        let is_first = self.lock().lease(kind, version, Instant::now());
        if is_first {
            tokio::spawn(end_leases(Arc::downgrade(self)));
        }
    }

    /// Ends what has been there for long enough. Returns when the next one ends.
    fn end_leases(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        let trimmed = state.end_leases(now);
        let next = state.leases.next_end();
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
        let kind = kind.hub();
        if self.leases.is_shared(kind, version, now) {
            return false;
        }
        while let Some(oldest) = self.leases.take_too_many(kind) {
            self.shelf(kind).ring.end_lease(oldest.version);
        }
        self.shelf(kind).ring.lease(version);
        self.leases.leases.push_back(Lease { kind, version, begun: now });
        self.leases.leases.len() == 1
    }

    /// Ends what has been there for long enough. Returns states whose typed form is to go, outside of the lock.
    fn end_leases(&mut self, now: Instant) -> Vec<Arc<Stored>> {
        let mut trimmed = Vec::new();
        while let Some(Lease { kind, version, .. }) = self.leases.take_ended(now) {
            self.shelf(kind).ring.end_lease(version);
            trimmed.append(&mut self.trim(kind));
        }
        trimmed
    }
}

impl Leases {
    pub(super) fn new(limits: LeaseLimits) -> Self {
        Self { limits, leases: VecDeque::new() }
    }

    /// Whether there is a lease that does for this version, too.
    fn is_shared(&self, kind: &'static Kind, version: u64, now: Instant) -> bool {
        let mut young =
            self.leases.iter().rev().take_while(|lease| now - lease.begun < self.limits.shared_for);
        young.any(|lease| lease.kind == kind && lease.version <= version)
    }

    /// A kind's oldest lease, if there is no room for another.
    fn take_too_many(&mut self, kind: &'static Kind) -> Option<Lease> {
        let mut of_kind = self.leases.iter().enumerate().filter(|(_, lease)| lease.kind == kind);
        let (oldest, _) = of_kind.next()?;
        if of_kind.count() + 1 < self.limits.per_kind_max { None } else { self.leases.remove(oldest) }
    }

    fn take_ended(&mut self, now: Instant) -> Option<Lease> {
        let lasts = self.limits.lasts;
        self.leases.pop_front_if(|lease| lease.begun + lasts <= now)
    }

    fn next_end(&self) -> Option<Instant> {
        self.leases.front().map(|lease| lease.begun + self.limits.lasts)
    }
}

#[cfg(test)]
mod tests;
