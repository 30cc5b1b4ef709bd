//! The load of one revision, as the autoscaler is told it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::RevisionKey;

/// A report on one revision over the time since the last one.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionStat {
    pub revision: Arc<RevisionKey>,
    /// Requests that were here at once, waiting or in flight, averaged over the time.
    pub average_concurrency: f64,
    /// Requests that arrived.
    pub request_count: f64,
}

/// Counts requests from arrival to the end of their responses, each exactly once.
#[derive(Debug)]
pub(super) struct Traffic {
    present: u32,
    /// Requests times seconds since the period began.
    area: f64,
    arrived: u32,
    changed: Instant,
    period_began: Instant,
    /// Requests already reported in this period, ahead of time.
    poked: u32,
}

impl Traffic {
    pub(super) fn new(now: Instant) -> Self {
        Self { present: 0, area: 0.0, arrived: 0, changed: now, period_began: now, poked: 0 }
    }

    pub(super) fn present(&self) -> u32 {
        self.present
    }

    pub(super) fn enter(&mut self, now: Instant) {
        self.advance(now);
        self.present += 1;
        self.arrived += 1;
    }

    pub(super) fn leave(&mut self, now: Instant) {
        self.advance(now);
        self.present -= 1;
    }

    /// A new period without history: it begins when the revision is first reported on.
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Self { present: self.present, ..Self::new(now) };
    }

    /// The report that wakes the autoscaler: one request, now. The next report leaves it out.
    pub(super) fn poke(&mut self, revision: &Arc<RevisionKey>) -> RevisionStat {
        self.poked += 1;
        RevisionStat { revision: Arc::clone(revision), average_concurrency: 1.0, request_count: 1.0 }
    }

    /// Whether a request reported already in this period.
    pub(super) fn is_poked(&self) -> bool {
        self.poked > 0
    }

    /// Ends the period and reports on it.
    pub(super) fn take(&mut self, revision: &Arc<RevisionKey>, now: Instant) -> RevisionStat {
        self.advance(now);
        let seconds = now.duration_since(self.period_began).as_secs_f64();
        let average = if seconds > 0.0 { self.area / seconds } else { f64::from(self.present) };
        let told = f64::from(self.poked);
        let stat = RevisionStat {
            revision: Arc::clone(revision),
            average_concurrency: (average - told).max(0.0),
            request_count: (f64::from(self.arrived) - told).max(0.0),
        };
        self.begin(now);
        stat
    }

    fn advance(&mut self, now: Instant) {
        // Two threads may read the clock in one order and come here in the other.
        let elapsed = now.saturating_duration_since(self.changed);
        self.area += f64::from(self.present) * elapsed.as_secs_f64();
        self.changed = self.changed.max(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn averages_over_the_period() {
        let revision = Arc::new(RevisionKey::new("default", "hello-00001"));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut traffic = Traffic::new(start);
        traffic.enter(at(0));
        traffic.enter(at(500));
        traffic.leave(at(750));
        let stat = traffic.take(&revision, at(1000));
        assert_eq!((stat.average_concurrency, stat.request_count), (1.25, 2.0));
        // The one still present goes on counting; it arrived before.
        let stat = traffic.take(&revision, at(2000));
        assert_eq!((stat.average_concurrency, stat.request_count), (1.0, 0.0));
        traffic.leave(at(2000));
        let stat = traffic.take(&revision, at(3000));
        assert_eq!((stat.average_concurrency, stat.request_count), (0.0, 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poke_is_told_once() {
        let revision = Arc::new(RevisionKey::new("default", "hello-00001"));
        let start = Instant::now();
        let mut traffic = Traffic::new(start);
        traffic.enter(start);
        let poke = traffic.poke(&revision);
        assert_eq!((poke.average_concurrency, poke.request_count), (1.0, 1.0));
        let stat = traffic.take(&revision, start + Duration::from_secs(1));
        assert_eq!((stat.average_concurrency, stat.request_count), (0.0, 0.0));
        let stat = traffic.take(&revision, start + Duration::from_secs(2));
        assert_eq!((stat.average_concurrency, stat.request_count), (1.0, 0.0));
    }
}
