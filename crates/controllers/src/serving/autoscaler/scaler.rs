//! The load of one active Revision and what was decided from it.

use autoscaler::{Decider, DeciderSpec, Decision, Metric, Silence, Time, Windows};

use super::stats::RevisionStat;

/// A second is complete when the next one is; what reports have not said of it by then is nothing.
const SECOND: Time = Time::from_secs(1);

/// The state that an active Revision needs. One at zero has none.
pub(super) struct Scaler {
    spec: DeciderSpec,
    windows: Windows,
    decider: Decider,
    since: Time,
    /// Whether any load was reported since.
    heard: bool,
    /// Whether load was reported since the last decision.
    news: bool,
    pub(super) ready: i32,
    pub(super) decision: Option<Decision>,
}

impl Scaler {
    pub(super) fn new(spec: DeciderSpec, ready: i32, now: Time) -> Self {
        let windows = Windows::new(&spec, Silence::Idle);
        let decider = Decider::new(ready, now);
        Self { spec, windows, decider, since: now, heard: false, news: false, ready, decision: None }
    }

    /// Takes what is now wanted of the Revision; windows of another length or average begin anew.
    pub(super) fn set(&mut self, spec: &DeciderSpec, ready: i32) {
        if !self.windows.fit(spec) {
            self.windows = Windows::new(spec, Silence::Idle);
        }
        if self.spec != *spec {
            self.spec = spec.clone();
        }
        self.ready = ready;
    }

    /// Takes what was reported at this moment.
    pub(super) fn record(&mut self, at: Time, stat: &RevisionStat) {
        self.heard = true;
        self.news |= stat.concurrency > 0.0;
        let value = match self.spec.metric {
            Metric::Concurrency => stat.concurrency,
            Metric::Rps => stat.requests,
        };
        self.windows.record(at, value);
    }

    /// Notes that what was not reported of the last full second did not happen: every request passes the reporter,
    /// which is silent when there was none.
    pub(super) fn fill(&mut self, now: Time) {
        if self.heard {
            self.windows.record(now.saturating_sub(SECOND), 0.0);
        }
    }

    /// Decides now. Until load was reported, or a whole stable window passed without, nothing is known: the Revision may
    /// have been busy before this process was there.
    pub(super) fn decide(&mut self, now: Time) -> Decision {
        let decision = if self.heard || now.saturating_sub(self.since) >= self.spec.stable_window {
            self.decider.decide(&self.spec, &self.windows, self.ready, now)
        } else {
            Decision {
                desired: -1,
                excess_burst_capacity: self.spec.initial_excess_burst_capacity(),
                num_activators: activators_min(),
                valid: false,
            }
        };
        self.decision = Some(decision);
        self.news = false;
        decision
    }

    /// Whether load was reported that no decision has seen yet.
    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    /// Decides now and says whether whoever acts on decisions must hear of it.
    pub(super) fn tick(&mut self, now: Time) -> bool {
        self.fill(now);
        let before = self.decision;
        let decision = self.decide(now);
        before.map_or(decision.valid, |before| {
            decision.matters_after(&before) || decision.valid != before.valid
        })
    }

    /// Whether a report must be acted on at once: there is load, and nothing has been decided that would take it.
    pub(super) fn is_wake(&self, stat: &RevisionStat) -> bool {
        stat.concurrency > 0.0 && self.decision.is_none_or(|decision| decision.desired <= 0)
    }
}

/// The least number of activators behind a Revision (upstream: kpa, minActivators).
pub(super) fn activators_min() -> i32 {
    2
}

#[cfg(test)]
mod tests;
