//! From a decision to replicas: bounds, and the way to zero (upstream: serving, reconciler/autoscaling/kpa/scaler.go).
//!
//! A revision falls to zero in two steps, so that no request meets an endpoint that is gone: first the
//! PodAutoscaler becomes inactive, which puts the activator in the path; only after it has been there for the grace
//! period does the last instance go.

use std::time::Duration;

use crate::{DeciderSpec, Reachability, Time};

/// What is added to the progress deadline before an activation is given up (upstream: activationTimeoutBuffer).
const ACTIVATION_BUFFER: Duration = Duration::from_secs(30);

/// The PodAutoscaler's condition `Active`, with the time of its last transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Unknown: instances are being made.
    Activating { since: Time },
    /// True.
    Active { since: Time },
    /// False.
    Inactive { since: Time },
}

/// What the scale of a revision depends on besides its [`DeciderSpec`].
#[derive(Clone, Copy, Debug)]
pub struct ScaleInput {
    /// What the decider wants; -1 when it does not know.
    pub desired: i32,
    pub activity: Activity,
    /// The condition `ScaleTargetInitialized`: the initial scale was reached once.
    pub initialized: bool,
    /// Since when the activator has been behind the revision's endpoints (ServerlessService condition
    /// `ActivatorEndpointsPopulated`).
    pub proxied_since: Option<Time>,
    /// Whether a request would reach the activator: probed in a cluster, always so where the gateway has it.
    pub activator_in_path: bool,
    /// How long an activation may take.
    pub progress_deadline: Duration,
}

/// What to do with the revision's Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleAction {
    /// The replicas to set, unless they are so already; `None` leaves them alone.
    pub to: Option<i32>,
    /// The scale now wanted, whether or not it is set yet: what the conditions and the SKS mode follow. -1 is
    /// unknown.
    pub want: i32,
    /// When to ask again though nothing changed.
    pub requeue_after: Option<Duration>,
    /// The activator was not found in the path: probe it, then ask again.
    pub probe: bool,
}

impl ScaleAction {
    fn set(replicas: i32) -> Self {
        Self { to: Some(replicas), want: replicas, requeue_after: None, probe: false }
    }

    fn hold(want: i32) -> Self {
        Self { to: None, want, requeue_after: None, probe: false }
    }

    fn again_after(self, delay: Duration) -> Self {
        Self { requeue_after: Some(delay), ..self }
    }
}

/// Which endpoints a revision's public service should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SksMode {
    /// The instances themselves.
    Serve,
    /// The activators.
    Proxy,
}

/// The mode that follows from the wanted scale and the room for bursts.
pub fn sks_mode(want: i32, excess_burst_capacity: i32) -> SksMode {
    if want > 0 && excess_burst_capacity >= 0 { SksMode::Serve } else { SksMode::Proxy }
}

/// The replicas that a revision should have now.
pub fn scale(spec: &DeciderSpec, input: &ScaleInput, now: Time) -> ScaleAction {
    let activating = matches!(input.activity, Activity::Activating { .. });
    if input.desired < 0 && !activating {
        return ScaleAction::hold(input.desired);
    }
    match bounds(spec, input.initialized).clamp(input.desired) {
        0 => to_zero(spec, input, now),
        replicas => ScaleAction::set(replicas),
    }
}

/// Until the initial scale was reached once, it is the least.
fn bounds(spec: &DeciderSpec, initialized: bool) -> crate::Bounds {
    let mut bounds = spec.bounds;
    let starting = !initialized && spec.reachability != Reachability::Unreachable;
    if starting && spec.initial_scale > 1 {
        bounds.min = bounds.min.max(spec.initial_scale);
    }
    bounds
}

fn to_zero(spec: &DeciderSpec, input: &ScaleInput, now: Time) -> ScaleAction {
    if !spec.scale_to_zero {
        return ScaleAction::set(1);
    }
    match input.activity {
        Activity::Activating { since } => {
            let left = (since + input.progress_deadline + ACTIVATION_BUFFER).saturating_sub(now);
            if left.is_zero() { ScaleAction::set(0) } else { ScaleAction::hold(-1).again_after(left) }
        }
        Activity::Active { since } => {
            let left = (since + spec.stable_window).saturating_sub(now);
            // Wanting zero without setting it makes the PodAutoscaler inactive.
            if left.is_zero() { ScaleAction::hold(0) } else { ScaleAction::set(1).again_after(left) }
        }
        Activity::Inactive { since } => inactive_to_zero(spec, input, since, now),
    }
}

fn inactive_to_zero(spec: &DeciderSpec, input: &ScaleInput, since: Time, now: Time) -> ScaleAction {
    if spec.target_burst_capacity != -1.0 && !input.activator_in_path {
        return ScaleAction { probe: true, ..ScaleAction::hold(0) };
    }
    let grace = spec.scale_to_zero_grace_period;
    let retention = spec.scale_to_zero_pod_retention_period;
    let inactive_for = now.saturating_sub(since);
    if inactive_for >= grace.max(retention) {
        return ScaleAction::set(0);
    }
    if inactive_for < retention {
        return ScaleAction::hold(0).again_after(retention - inactive_for);
    }
    let proxied_for = input.proxied_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
    match grace.saturating_sub(proxied_for) {
        Duration::ZERO => ScaleAction::set(0),
        left => ScaleAction::hold(0).again_after(left),
    }
}

#[cfg(test)]
mod tests;
