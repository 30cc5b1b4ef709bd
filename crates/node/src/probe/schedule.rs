//! When a probe is tried and what its outcomes mean. Pure (upstream: kubernetes, kubelet prober; serving, queue readiness).

use std::time::Duration;

use resources::builtin;

use super::Target;

/// How often a start is looked at while it may still be over in a moment.
const EAGER: Duration = Duration::from_micros(200);
/// From there, each wait is an eighth of the time that has passed: a long start may be noticed a little later, and when a
/// hundred start at once, asking them does not take the processors from them.
const PART: u32 = 8;
/// How often a slow start is looked at.
const PATIENT: Duration = Duration::from_millis(50);
/// How often a container that is ready is looked at where its owner did not say.
const STEADY: Duration = Duration::from_secs(10);

/// How long a container runs at least before it is first asked whether it is alive.
const LIVENESS_FIRST: Duration = Duration::from_secs(1);

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Holds the others back until it has passed once.
    Startup,
    /// Ends the container when it fails.
    Liveness,
    /// Takes the container out of service while it fails.
    Readiness,
}

/// When a probe is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) initial_delay: Duration,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) success_threshold: u32,
    pub(crate) failure_threshold: u32,
    /// Before its first success it is tried at once and again and again, instead of after `initial_delay` and `period`.
    pub(crate) eager: bool,
}

/// A probe and what it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    pub(crate) schedule: Schedule,
    successes: u32,
    failures: u32,
    passed: bool,
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too early to say, or nothing new.
    Same,
    /// The threshold of successes is reached.
    Passing,
    /// The threshold of failures is reached.
    Failing,
}

impl Schedule {
    /// The schedule of a Kubernetes probe. A period of 0 is Knative's: as eager as can be until it passes.
    pub(crate) fn of(probe: &builtin::Probe, eager: bool) -> Self {
        let seconds = |value: Option<i32>, default| u64::try_from(value.unwrap_or(default)).unwrap_or(0);
        let period = seconds(probe.period_seconds, 10);
        let count = |value: Option<i32>, default| u32::try_from(value.unwrap_or(default)).unwrap_or(1).max(1);
        Self {
            initial_delay: Duration::from_secs(seconds(probe.initial_delay_seconds, 0)),
            period: if period == 0 { STEADY } else { Duration::from_secs(period) },
            timeout: Duration::from_secs(seconds(probe.timeout_seconds, 1).max(1)),
            success_threshold: count(probe.success_threshold, 1),
            failure_threshold: count(probe.failure_threshold, 3),
            eager,
        }
    }
}

impl Probe {
    pub(crate) fn new(kind: Kind, target: Target, schedule: Schedule) -> Self {
        Self { kind, target, schedule, successes: 0, failures: 0, passed: false }
    }

    /// Forgets all outcomes.
    pub(crate) fn renew(&mut self) {
        (self.successes, self.failures, self.passed) = (0, 0, false);
    }

    /// Goes on as one that has passed, when that was seen before the node was restarted.
    pub(crate) fn resume(&mut self) {
        (self.successes, self.failures, self.passed) = (self.schedule.success_threshold, 0, true);
    }

    /// How long to wait before the next try; `since` is the time since the container started, `None` before the first try.
    pub(crate) fn wait(&self, since: Option<Duration>) -> Duration {
        let Some(since) = since else {
            // One that goes on is tried at once: nobody looked for a while.
            if self.passed {
                return Duration::ZERO;
            }
            // A program needs a moment before it listens; a cluster's kubelet is never quicker than that to ask.
            let least = if self.kind == Kind::Liveness { LIVENESS_FIRST } else { Duration::ZERO };
            let delay = if self.schedule.eager { Duration::ZERO } else { self.schedule.initial_delay };
            return delay.max(least);
        };
        if !self.schedule.eager || self.passed {
            return self.schedule.period;
        }
        match self.target {
            Target::Tcp { .. } => (since / PART).clamp(EAGER, PATIENT),
            _ => PATIENT,
        }
    }

    /// Whether a failure means anything yet: an eager probe is tried far more often than its threshold was made for.
    pub(crate) fn counts_failures(&self) -> bool {
        !self.schedule.eager || self.passed
    }

    /// Takes an outcome in.
    pub(crate) fn note(&mut self, success: bool) -> Verdict {
        if success {
            self.failures = 0;
            self.successes = self.successes.saturating_add(1);
            if self.successes == self.schedule.success_threshold {
                self.passed = true;
                return Verdict::Passing;
            }
        } else {
            self.successes = 0;
            self.failures = self.failures.saturating_add(1);
            if self.counts_failures() && self.failures == self.schedule.failure_threshold {
                return Verdict::Failing;
            }
        }
        Verdict::Same
    }
}

#[cfg(test)]
mod tests;
