//! Load in, desired scale out (upstream: serving, pkg/autoscaler/scaling/autoscaler.go).

use std::time::Duration;

use crate::delay::DelayWindow;
use crate::{DeciderSpec, Reachability, Time, Windows};

/// How often a revision with traffic is decided on. A revision at zero is decided on at its first report instead.
pub const TICK: Duration = Duration::from_secs(2);
/// The least number of activators behind a revision (upstream: MinActivators).
const ACTIVATORS_MIN: f64 = 2.0;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Instances to have, before bounds; -1 when not [`valid`](Self::valid).
    pub desired: i32,
    /// Requests in flight that the ready instances could take beyond the burst to be prepared for. Negative: the
    /// activator must be in the path.
    pub excess_burst_capacity: i32,
    /// Activators that the revision needs.
    pub num_activators: i32,
    /// False when too little is known to decide.
    pub valid: bool,
}

impl Decision {
    /// Whether whoever acts on decisions must hear of this one, having acted on `before`.
    pub fn matters_after(&self, before: &Self) -> bool {
        self.valid
            && (self.desired != before.desired
                || (self.excess_burst_capacity < 0) != (before.excess_burst_capacity < 0))
    }
}

/// What one decision must remember for the next. There is one per active revision.
#[derive(Clone, Debug)]
pub struct Decider {
    panic: Option<Panic>,
    delay: Option<DelayWindow>,
}

#[derive(Clone, Copy, Debug)]
struct Panic {
    /// When the load last was over the threshold.
    since: Time,
    /// The most instances wanted since the panic began.
    most: i32,
}

impl Decider {
    /// A decider that knows nothing of the past. With more than one instance ready it begins in panic, because
    /// forgotten load would look like no load and scale the revision down.
    pub fn new(ready: i32, now: Time) -> Self {
        Self { panic: (ready > 1).then_some(Panic { since: now, most: ready }), delay: None }
    }

    /// Whether the revision is scaled by its panic window.
    pub fn is_panicking(&self) -> bool {
        self.panic.is_some()
    }

    /// Decides from the load in `windows` and the number of `ready` instances.
    pub fn decide(&mut self, spec: &DeciderSpec, windows: &Windows, ready: i32, now: Time) -> Decision {
        let num_activators = num_activators(spec, ready);
        let Some(load) = windows.averages(now) else {
            let excess_burst_capacity = spec.initial_excess_burst_capacity();
            return Decision { desired: -1, excess_burst_capacity, num_activators, valid: false };
        };
        let by_stable = (load.stable / spec.target).ceil();
        let by_panic = (load.panic / spec.target).ceil();
        let rates = Rates::new(spec, ready);
        let stable = rates.clamp(by_stable);
        let panic = rates.clamp(by_panic);

        let over_threshold = by_panic / at_least_one(ready) >= spec.panic_threshold;
        let steady = self.panic_or_stable(spec, over_threshold, stable, panic, now);
        let desired = self.after_delay(spec, steady, now);
        let excess_burst_capacity = excess_burst_capacity(spec, ready, load.panic);
        Decision { desired, excess_burst_capacity, num_activators, valid: true }
    }

    /// In panic the scale only rises.
    fn panic_or_stable(
        &mut self,
        spec: &DeciderSpec,
        over_threshold: bool,
        stable: i32,
        panic: i32,
        now: Time,
    ) -> i32 {
        if over_threshold {
            let most = self.panic.map_or(0, |panic| panic.most);
            self.panic = Some(Panic { since: now, most });
        } else if self.panic.is_some_and(|panic| panic.since + spec.stable_window < now) {
            // By now the surge is in the stable window, which takes over without a dip.
            self.panic = None;
        }
        match &mut self.panic {
            None => stable,
            Some(state) => {
                state.most = state.most.max(stable).max(panic);
                state.most
            }
        }
    }

    fn after_delay(&mut self, spec: &DeciderSpec, desired: i32, now: Time) -> i32 {
        let delay = spec.scale_down_delay;
        if delay.is_zero() {
            self.delay = None;
            return desired;
        }
        if spec.reachability == Reachability::Unreachable {
            return desired;
        }
        match &mut self.delay {
            Some(window) if window.delay() == delay => window.record(now, desired),
            _ => self.delay.insert(DelayWindow::new(delay)).record(now, desired),
        }
    }
}

/// How far one decision may move the scale.
struct Rates {
    down_to: f64,
    up_to: f64,
    activation_scale: i32,
}

impl Rates {
    fn new(spec: &DeciderSpec, ready: i32) -> Self {
        let ready = at_least_one(ready);
        let reachable = spec.reachability != Reachability::Unreachable;
        Self {
            // Rounded so that a rate near 1 still moves the scale by one.
            up_to: (spec.max_scale_up_rate * ready).ceil(),
            down_to: if reachable { (ready / spec.max_scale_down_rate).floor() } else { 0.0 },
            activation_scale: spec.activation_scale,
        }
    }

    fn clamp(&self, wanted: f64) -> i32 {
        let clamped = wanted.max(self.down_to).min(self.up_to) as i32;
        if wanted > 0.0 { clamped.max(self.activation_scale) } else { clamped }
    }
}

fn at_least_one(ready: i32) -> f64 {
    f64::from(ready.max(1))
}

fn excess_burst_capacity(spec: &DeciderSpec, ready: i32, panic_load: f64) -> i32 {
    match spec.target_burst_capacity {
        0.0 => 0,
        tbc if tbc > 0.0 => (f64::from(ready) * spec.total - tbc - panic_load).floor() as i32,
        _ => -1,
    }
}

fn num_activators(spec: &DeciderSpec, ready: i32) -> i32 {
    if spec.target_burst_capacity == 0.0 {
        return ACTIVATORS_MIN as i32;
    }
    let to_cover = f64::from(ready) * spec.total + spec.target_burst_capacity.max(0.0);
    (to_cover / spec.activator_capacity).ceil().max(ACTIVATORS_MIN) as i32
}

#[cfg(test)]
mod tests;
