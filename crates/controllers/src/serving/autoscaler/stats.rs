//! Where the data plane reports load, and what the autoscaler remembers of the Revisions that have some.
//!
//! ```text
//!   data plane ── report ──► Scaler of the Revision ◄── tick, every 2 s while any is active
//!                    │              │
//!                    └── load at zero: the PodAutoscaler's key, now ──► reconcile: decide, scale
//! ```

use std::{collections::HashMap, sync::Arc};

use autoscaler::{DeciderSpec, Decision, TICK, Time};
use objects::Queue;
use parking_lot::Mutex;
use resources::ObjectKey;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

use super::scaler::Scaler;

/// Reports kept of one Revision until its PodAutoscaler has been read; more are dropped, the oldest first.
const EARLY_STATS_MAX: usize = 64;

/// What one reporter saw of one Revision in the second that ends as it tells.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionStat {
    /// The Revision.
    pub revision: ObjectKey,
    /// Requests in hand, averaged over the second; those that wait for an instance count.
    pub concurrency: f64,
    /// Requests that came.
    pub requests: f64,
}

/// Takes reports of load. Cheap to clone; never waits.
#[derive(Clone, Default)]
pub struct StatsHandle {
    shared: Arc<Shared>,
}

struct Shared {
    /// The origin of all times here. Load is counted by a clock that only goes forward: with the time of day, a step back
    /// would drop reports until it has caught up, and one forward would empty the windows of what is busy.
    began: Instant,
    scalers: Mutex<HashMap<ObjectKey, Entry>>,
    /// The PodAutoscaler controller's queue, while it runs.
    queue: Mutex<Option<Arc<Queue<ObjectKey>>>>,
    /// Notified when there is a first active Revision.
    active: Notify,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            scalers: Mutex::default(),
            queue: Mutex::default(),
            active: Notify::new(),
        }
    }
}

enum Entry {
    /// Load was reported of a Revision that nothing is known of yet.
    Early(Vec<(Time, RevisionStat)>),
    Known(Box<Scaler>),
}

impl StatsHandle {
    /// A handle that nobody has reported to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the load of the last second: of each Revision that had any, and at once of a request that found no
    /// instance. The latter is acted on without waiting for a tick.
    pub fn report(&self, stats: &[RevisionStat]) {
        let now = self.now();
        let mut wakes = Vec::new();
        {
            let mut scalers = self.shared.scalers.lock();
            for stat in stats {
                match scalers.get_mut(&stat.revision) {
                    Some(Entry::Known(scaler)) => {
                        scaler.record(now, stat);
                        if scaler.is_wake(stat) {
                            wakes.push(stat.revision.clone());
                        }
                    }
                    Some(Entry::Early(early)) => {
                        if early.len() == EARLY_STATS_MAX {
                            early.remove(0);
                        }
                        early.push((now, stat.clone()));
                    }
                    None => {
                        scalers.insert(stat.revision.clone(), Entry::Early(vec![(now, stat.clone())]));
                        wakes.push(stat.revision.clone());
                    }
                }
            }
        }
        self.wake(wakes);
    }

    /// Whether nothing is remembered of any Revision. Then there is no timer either.
    pub fn is_idle(&self) -> bool {
        self.shared.scalers.lock().is_empty()
    }

    /// Gives the keys of Revisions to decide on to this queue from now on; those that had load before it was there too.
    pub(super) fn attach(&self, queue: Arc<Queue<ObjectKey>>) {
        *self.shared.queue.lock() = Some(queue);
        let known = self.shared.scalers.lock().keys().cloned().collect();
        self.wake(known);
    }

    /// Decides on a Revision now. Without load it is only remembered, and decided on, while `active`; `None` then means
    /// that there is no load and was none.
    pub(super) fn decide(
        &self,
        key: &ObjectKey,
        spec: &DeciderSpec,
        ready: i32,
        active: bool,
    ) -> Option<Decision> {
        let now = self.now();
        let mut scalers = self.shared.scalers.lock();
        let early = match scalers.get_mut(key) {
            Some(Entry::Known(scaler)) => {
                scaler.set(spec, ready);
                return Some(scaler.decide(now));
            }
            Some(Entry::Early(early)) => std::mem::take(early),
            None if active => Vec::new(),
            None => return None,
        };
        let mut scaler = Scaler::new(spec.clone(), ready, now);
        early.iter().for_each(|(at, stat)| scaler.record(*at, stat));
        let decision = scaler.decide(now);
        scalers.insert(key.clone(), Entry::Known(Box::new(scaler)));
        self.shared.active.notify_one();
        Some(decision)
    }

    /// Drops a Revision that is at zero and has no load, unless some was reported just now.
    pub(super) fn retire(&self, key: &ObjectKey) {
        let mut scalers = self.shared.scalers.lock();
        if let Some(Entry::Known(scaler)) = scalers.get(key)
            && scaler.decision.is_some_and(|decision| decision.valid && decision.desired == 0)
            && !scaler.has_news()
        {
            scalers.remove(key);
        }
    }

    /// Drops a Revision that is gone, or is not decided on here.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.shared.scalers.lock().remove(key);
    }

    /// Decides on every active Revision every two seconds, and hands on those of which something new was decided. Sleeps
    /// without a timer while none is active.
    pub(super) async fn tick(&self) {
        loop {
            while self.is_idle() {
                self.shared.active.notified().await;
            }
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick of an interval is at once; what became active was just decided on.
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let now = self.now();
                let mut scalers = self.shared.scalers.lock();
                if scalers.is_empty() {
                    break;
                }
                let news = scalers.iter_mut().filter_map(|(key, entry)| match entry {
                    Entry::Known(scaler) => scaler.tick(now).then(|| key.clone()),
                    Entry::Early(_) => None,
                });
                let news: Vec<_> = news.collect();
                drop(scalers);
                self.wake(news);
            }
        }
    }

    fn now(&self) -> Time {
        self.shared.began.elapsed()
    }

    fn wake(&self, keys: Vec<ObjectKey>) {
        if keys.is_empty() {
            return;
        }
        if let Some(queue) = &*self.shared.queue.lock() {
            keys.into_iter().for_each(|key| queue.add(key));
        }
    }
}

impl std::fmt::Debug for StatsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatsHandle")
    }
}

#[cfg(test)]
mod tests;
