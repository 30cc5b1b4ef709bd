//! An instance with the requests and connections that it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::sync::Notify;

use crate::Instance;
use crate::queue::Pool;

/// An instance as the queue knows it: its requests in flight and its open connections.
#[derive(Debug)]
pub(crate) struct Member {
    instance: Instance,
    /// Changed only by the breaker, under its revision's lock; atomic so that it can be shared.
    in_flight: AtomicU32,
    pool: Pool,
    /// Notified when the last request leaves.
    empty: Notify,
}

impl Member {
    pub(crate) fn new(instance: Instance, idle_max: usize) -> Self {
        Self { instance, in_flight: AtomicU32::new(0), pool: Pool::new(idle_max), empty: Notify::new() }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    pub(super) fn take(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// Answers how many requests are left.
    pub(super) fn give_back(&self) -> u32 {
        let left = self.in_flight.fetch_sub(1, Relaxed) - 1;
        if left == 0 {
            self.empty.notify_waiters();
        }
        left
    }

    /// Waits until no request is in flight.
    pub(crate) async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            if self.in_flight() == 0 {
                return;
            }
            empty.await;
        }
    }

    /// The endpoints name it again.
    pub(super) fn welcome(self: Arc<Self>) -> Arc<Self> {
        self.pool.open();
        self
    }

    /// The endpoints do not name it any more: unused connections close now, used ones when their request ends.
    pub(super) fn dismiss(&self) {
        self.pool.close();
    }
}
