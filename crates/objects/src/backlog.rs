//! How much waits at the queues that belong together, so that new work is not begun faster than what is begun is finished.
//!
//! One new object sets off a chain of controllers. Ten thousand of them begun at once would all be half done for a
//! minute: every step of theirs is then written down although nobody looks, and each step finds its objects gone from
//! memory, since those of all others passed through it.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, futures::Notified};

/// So many keys that wait keep every thread busy; what is new may wait while there are more.
const KEYS_LOW: usize = 32;

/// How many keys wait at all queues that share it.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    keys: AtomicUsize,
    low: Notify,
}

impl Backlog {
    /// A key waits.
    pub(crate) fn grows(&self) {
        self.keys.fetch_add(1, Ordering::Relaxed);
    }

    /// So many keys wait no longer.
    pub(crate) fn shrinks(&self, by: usize) {
        let before = self.keys.fetch_sub(by, Ordering::Relaxed);
        if before > KEYS_LOW && before - by <= KEYS_LOW {
            self.low.notify_waiters();
        }
    }

    /// Whether there is room for what is new.
    pub(crate) fn is_low(&self) -> bool {
        self.keys.load(Ordering::Relaxed) <= KEYS_LOW
    }

    /// Done when it falls to where there is room, from the moment on at which this is called.
    pub(crate) fn falls(&self) -> Notified<'_> {
        self.low.notified()
    }
}
