//! The autoscaler under a load profile, in virtual time: what would these settings have done?

use std::collections::VecDeque;
use std::time::Duration;

use crate::{
    ActiveCondition, ActiveInput, Activity, Decider, DeciderSpec, Decision, ScaleInput, Silence, TICK, Time,
    Windows, active_condition, active_threshold, scale,
};

/// How long a simulated revision may take to start before it is given up.
const PROGRESS_DEADLINE: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

/// A stretch of constant load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub seconds: u64,
    /// Requests in flight, over all instances.
    pub concurrency: f64,
}

/// The revision at the end of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub second: u64,
    pub replicas: i32,
    pub ready: i32,
    pub panicking: bool,
}

/// Runs a revision through `profile`, a step a second. An instance is ready `startup` seconds after it is wanted.
///
/// It begins active at `initial` ready instances. Load on a revision at zero is reported at once, as the activator
/// does.
pub fn simulate(spec: &DeciderSpec, profile: &[Load], initial: i32, startup: u64) -> Vec<Step> {
    let mut revision = Simulated::new(spec, initial, startup);
    let loads = profile.iter().flat_map(|load| (0..load.seconds).map(|_| load.concurrency));
    loads.zip(1..).map(|(concurrency, second)| revision.step(second, concurrency)).collect()
}

struct Simulated<'a> {
    spec: &'a DeciderSpec,
    startup: u64,
    windows: Windows,
    decider: Decider,
    decision: Option<Decision>,
    activity: Activity,
    /// Seconds at which the instances become ready, earliest first.
    instances: VecDeque<u64>,
    proxied_since: Option<Time>,
}

impl<'a> Simulated<'a> {
    fn new(spec: &'a DeciderSpec, initial: i32, startup: u64) -> Self {
        Self {
            spec,
            startup,
            windows: Windows::new(spec, Silence::Idle),
            decider: Decider::new(initial, Time::ZERO),
            decision: None,
            activity: Activity::Active { since: Time::ZERO },
            instances: (0..initial).map(|_| 0).collect(),
            proxied_since: None,
        }
    }

    fn step(&mut self, second: u64, concurrency: f64) -> Step {
        let now = SECOND * second as u32;
        self.windows.record(now, concurrency);
        let poked = self.instances.is_empty() && concurrency > 0.0;
        if poked || second.is_multiple_of(TICK.as_secs()) {
            let ready = self.ready(second);
            self.decision = Some(self.decider.decide(self.spec, &self.windows, ready, now));
        }
        self.apply(now, second);
        Step {
            second,
            replicas: self.instances.len() as i32,
            ready: self.ready(second),
            panicking: self.decider.is_panicking(),
        }
    }

    fn apply(&mut self, now: Time, second: u64) {
        let room =
            self.decision.map_or(self.spec.initial_excess_burst_capacity(), |d| d.excess_burst_capacity);
        let input = ScaleInput {
            desired: self.decision.map_or(-1, |decision| decision.desired),
            activity: self.activity,
            initialized: true,
            proxied_since: self.proxied_since,
            activator_in_path: true,
            progress_deadline: PROGRESS_DEADLINE,
        };
        let action = scale(self.spec, &input, now);
        if let Some(replicas) = action.to {
            self.instances.resize(replicas.max(0) as usize, second + self.startup);
        }
        self.proxied_since = match crate::sks_mode(action.want, room) {
            crate::SksMode::Proxy => self.proxied_since.or(Some(now)),
            crate::SksMode::Serve => None,
        };
        let ready = self.ready(second);
        debug_assert!(active_threshold(self.spec, true) > 0);
        let input = ActiveInput { want: action.want, ready, before: Some(self.activity), initialized: true };
        self.activity = match (active_condition(self.spec, &input), self.activity) {
            (ActiveCondition::Active, Activity::Active { .. })
            | (ActiveCondition::Activating, Activity::Activating { .. })
            | (ActiveCondition::Inactive(_), Activity::Inactive { .. })
            | (ActiveCondition::Unchanged, _) => self.activity,
            (ActiveCondition::Active, _) => Activity::Active { since: now },
            (ActiveCondition::Activating, _) => Activity::Activating { since: now },
            (ActiveCondition::Inactive(_), _) => Activity::Inactive { since: now },
        };
    }

    fn ready(&self, second: u64) -> i32 {
        self.instances.iter().filter(|&&at| at <= second).count() as i32
    }
}

#[cfg(test)]
mod tests;
