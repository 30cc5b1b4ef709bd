//! A queue of keys: each is worked on by one at a time, and a key that is added while it is worked on comes again.
//!
//! There is no timer unless something asked for one: an idle queue costs nothing, whatever it has seen.

mod ready;

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use self::ready::Ready;
use crate::backlog::Backlog;

/// How long a failing key waits before it comes again.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure; doubles with each.
    pub min: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: Duration::from_millis(5), max: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after so many failures in a row, from 1.
    pub fn after(&self, failures: u32) -> Duration {
        self.min.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.max)
    }
}

/// Of so many keys that are taken one comes from those that were added in bulk, however many others there are.
const BULK_EVERY: u32 = 8;

/// How long what was added in bulk waits for other queues: longer only if one of them does not get on.
const HELD_BACK_MAX: Duration = Duration::from_millis(100);

/// The queue. All methods take `&self`; share it by `Arc`.
pub struct Queue<K> {
    state: Mutex<State<K>>,
    wake: Notify,
    backoff: Backoff,
    backlog: Arc<Backlog>,
}

struct State<K> {
    ready: Ready<K>,
    /// What was added with many others, in order of arrival; what is not in `in_bulk` any more is skipped.
    bulk: VecDeque<K>,
    /// What waits in `bulk`, and was not added by itself since.
    in_bulk: HashSet<K>,
    /// Since when nothing but what is in `in_bulk` waits here, and it waits for other queues.
    held_back: Option<Instant>,
    /// Keys taken so far.
    taken: u32,
    /// What is in `ready` or `in_bulk`, or will be once it is no longer being worked on.
    dirty: HashSet<K>,
    /// What is being worked on.
    working: HashSet<K>,
    /// What comes later, soonest first, and the same by key.
    later: BTreeSet<(Instant, u64)>,
    later_keys: HashMap<u64, K>,
    due: HashMap<K, (Instant, u64)>,
    tickets: u64,
    failures: HashMap<K, u32>,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// An empty queue.
    pub fn new(backoff: Backoff) -> Self {
        Self::among(backoff, Arc::default())
    }

    /// An empty queue among others: what is added to it in bulk is taken when little else waits at any of them.
    pub(crate) fn among(backoff: Backoff, backlog: Arc<Backlog>) -> Self {
        let state = State {
            ready: Ready::new(Arc::clone(&backlog)),
            bulk: VecDeque::new(),
            in_bulk: HashSet::new(),
            held_back: None,
            taken: 0,
            dirty: HashSet::new(),
            working: HashSet::new(),
            later: BTreeSet::new(),
            later_keys: HashMap::new(),
            due: HashMap::new(),
            tickets: 0,
            failures: HashMap::new(),
        };
        Self { state: Mutex::new(state), wake: Notify::new(), backoff, backlog }
    }

    /// Adds a key; one that waits already stays where it is.
    pub fn add(&self, key: K) {
        if self.state.lock().add(key) {
            self.wake.notify_one();
        }
    }

    /// Adds a key that many others are added with, behind those that are added by themselves.
    pub fn add_in_bulk(&self, key: K) {
        if self.state.lock().add_in_bulk(key) {
            self.wake.notify_one();
        }
    }

    /// Adds a key after a while; the sooner of two such wishes counts.
    pub fn add_after(&self, key: K, wait: Duration) {
        if self.state.lock().add_at(key, Instant::now() + wait) {
            self.wake.notify_one();
        }
    }

    /// Takes the next key; waits until there is one. It must be given back with [`Queue::done`] or [`Queue::failed`].
    pub async fn next(&self) -> K {
        loop {
            // From here on, so that a fall that comes before the wait ends it.
            let falls = self.backlog.falls();
            let (soonest, held_back) = {
                let (mut state, now) = (self.state.lock(), Instant::now());
                state.promote(now);
                let also_of_bulk = state.may_take_of_bulk(self.backlog.is_low(), now);
                if let Some(key) = state.take(also_of_bulk) {
                    return key;
                }
                let due = state.later.first().map(|(at, _)| *at);
                let held_back = state.held_back.map(|since| since + HELD_BACK_MAX);
                (due.into_iter().chain(held_back).min(), held_back.is_some())
            };
            let in_time = async {
                match soonest {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = in_time => {}
                () = falls, if held_back => {}
            }
        }
    }

    /// Takes the next key if there is one now.
    pub fn try_next(&self) -> Option<K> {
        let (mut state, now) = (self.state.lock(), Instant::now());
        state.promote(now);
        let also_of_bulk = state.may_take_of_bulk(self.backlog.is_low(), now);
        state.take(also_of_bulk)
    }

    /// The work on a key went well: its failures are forgotten.
    pub fn done(&self, key: &K) {
        let mut state = self.state.lock();
        state.failures.remove(key);
        if state.finish(key) {
            self.wake.notify_one();
        }
    }

    /// The work on a key failed: it comes again after a wait, which is returned.
    pub fn failed(&self, key: &K) -> Duration {
        let mut state = self.state.lock();
        let failures = state.failures.entry(key.clone()).or_insert(0);
        *failures += 1;
        let wait = self.backoff.after(*failures);
        state.finish(key);
        state.add_at(key.clone(), Instant::now() + wait);
        self.wake.notify_one();
        wait
    }

    /// How many keys wait for their turn now.
    pub fn len(&self) -> usize {
        let state = self.state.lock();
        state.ready.len() + state.in_bulk.len()
    }

    /// Whether no key waits for its turn now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn add(&mut self, key: K) -> bool {
        self.not_later(&key);
        // What waited with many others comes for its own sake now.
        if !self.in_bulk.remove(&key) && (!self.dirty.insert(key.clone()) || self.working.contains(&key)) {
            return false;
        }
        self.ready.push(key);
        true
    }

    fn add_in_bulk(&mut self, key: K) -> bool {
        if !self.dirty.insert(key.clone()) || self.working.contains(&key) {
            return false;
        }
        self.in_bulk.insert(key.clone());
        self.bulk.push_back(key);
        true
    }

    fn not_later(&mut self, key: &K) {
        if let Some(ticket) = self.due.remove(key) {
            self.later.remove(&ticket);
            self.later_keys.remove(&ticket.1);
        }
    }

    fn add_at(&mut self, key: K, at: Instant) -> bool {
        // What waits in bulk may wait for long; the key moves ahead when this time has come.
        if self.dirty.contains(&key) && !self.in_bulk.contains(&key) {
            return false;
        }
        if let Some(&ticket) = self.due.get(&key) {
            if ticket.0 <= at {
                return false;
            }
            self.later.remove(&ticket);
            self.later_keys.remove(&ticket.1);
        }
        self.tickets += 1;
        let ticket = (at, self.tickets);
        self.later.insert(ticket);
        self.later_keys.insert(ticket.1, key.clone());
        self.due.insert(key, ticket);
        self.later.first() == Some(&ticket)
    }

    fn promote(&mut self, now: Instant) {
        while let Some(&(at, ticket)) = self.later.first() {
            if at > now {
                break;
            }
            self.later.pop_first();
            if let Some(key) = self.later_keys.remove(&ticket) {
                self.due.remove(&key);
                self.add(key);
            }
        }
    }

    /// Whether what was added in bulk may be taken once nothing else waits here.
    fn may_take_of_bulk(&mut self, is_backlog_low: bool, now: Instant) -> bool {
        if is_backlog_low || self.in_bulk.is_empty() || !self.ready.is_empty() {
            self.held_back = None;
            return true;
        }
        now >= *self.held_back.get_or_insert(now) + HELD_BACK_MAX
    }

    /// Takes a key; of those in bulk, where nothing else waits, if they may be.
    fn take(&mut self, also_of_bulk: bool) -> Option<K> {
        let taken = self.taken.wrapping_add(1);
        let bulk_first = taken.is_multiple_of(BULK_EVERY) && !self.ready.is_empty();
        let key = if bulk_first { self.take_of_bulk() } else { None };
        let key = key.or_else(|| self.ready.pop());
        let key = key.or_else(|| also_of_bulk.then(|| self.take_of_bulk()).flatten())?;
        self.taken = taken;
        self.dirty.remove(&key);
        self.working.insert(key.clone());
        Some(key)
    }

    fn take_of_bulk(&mut self) -> Option<K> {
        while let Some(key) = self.bulk.pop_front() {
            if self.in_bulk.remove(&key) {
                self.held_back = None;
                return Some(key);
            }
        }
        None
    }

    /// Whether the key must be worked on again at once.
    fn finish(&mut self, key: &K) -> bool {
        self.working.remove(key);
        let again = self.dirty.contains(key);
        if again {
            self.ready.push(key.clone());
        }
        again
    }
}

#[cfg(test)]
mod tests;
