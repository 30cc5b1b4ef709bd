//! How many requests are being answered.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Default)]
pub(crate) struct Busy {
    /// All requests: what a drain waits for.
    now: AtomicUsize,
    /// Without probes: what a concurrency limit is about.
    counted: AtomicUsize,
    counted_max: AtomicUsize,
    draining: AtomicBool,
    idle: Condvar,
    lock: Mutex<()>,
}

pub(crate) struct Guard<'a> {
    busy: &'a Busy,
    counted: bool,
}

impl Busy {
    pub(crate) fn enter(&self, is_probe: bool) -> Guard<'_> {
        self.now.fetch_add(1, SeqCst);
        if !is_probe {
            let counted = self.counted.fetch_add(1, SeqCst) + 1;
            // Read first: a write at every request would be the busiest line of the program.
            if counted > self.counted_max.load(SeqCst) {
                self.counted_max.fetch_max(counted, SeqCst);
            }
        }
        Guard { busy: self, counted: !is_probe }
    }

    pub(crate) fn max(&self) -> usize {
        self.counted_max.load(SeqCst)
    }

    /// True when connections are to be closed after their answer.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    /// Waits until nothing is being answered.
    pub(crate) fn drain(&self) {
        self.draining.store(true, SeqCst);
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.now.load(SeqCst) > 0 {
            lock = self.idle.wait(lock).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.busy.counted.fetch_sub(1, SeqCst);
        }
        if self.busy.now.fetch_sub(1, SeqCst) == 1 && self.busy.is_draining() {
            let _lock = self.busy.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.busy.idle.notify_all();
        }
    }
}
