//! The PodAutoscaler's condition `Active` (upstream: serving, reconciler/autoscaling/kpa, computeActiveCondition).

use crate::{Activity, DeciderSpec};

/// What the condition depends on besides the [`DeciderSpec`].
#[derive(Clone, Copy, Debug)]
pub struct ActiveInput {
    /// The scale wanted: [`ScaleAction::want`](crate::ScaleAction::want).
    pub want: i32,
    pub ready: i32,
    /// The condition as it is; `None` when it was never set.
    pub before: Option<Activity>,
    /// The condition `ScaleTargetInitialized`.
    pub initialized: bool,
}

/// The condition to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveCondition {
    Active,
    /// Unknown, reason `Queued`.
    Activating,
    Inactive(InactiveReason),
    /// As it was.
    Unchanged,
}

/// Why a revision has no instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InactiveReason {
    /// `NoTraffic`.
    NoTraffic,
    /// `TimedOut`: it was given up while activating.
    TimedOut,
}

/// The instances that must be ready for a revision to count as active; once they were, its scale target is
/// initialized.
pub fn active_threshold(spec: &DeciderSpec, initialized: bool) -> i32 {
    if initialized { spec.bounds.min.max(1) } else { spec.bounds.min.max(spec.initial_scale) }
}

/// The condition that follows from what is wanted and what is ready.
pub fn active_condition(spec: &DeciderSpec, input: &ActiveInput) -> ActiveCondition {
    let threshold = active_threshold(spec, input.initialized);
    let inactive = matches!(input.before, Some(Activity::Inactive { .. }));
    let activating = matches!(input.before, None | Some(Activity::Activating { .. }));
    if input.want == 0 || threshold == 0 {
        return ActiveCondition::Inactive(match activating && threshold > 0 {
            true => InactiveReason::TimedOut,
            false => InactiveReason::NoTraffic,
        });
    }
    // An unknown scale wakes nothing: with initial scale 0 it stays unknown until the first request.
    let wakes = input.want > 0 || !inactive;
    match (input.ready >= threshold, wakes) {
        (true, true) => ActiveCondition::Active,
        (true, false) => ActiveCondition::Unchanged,
        (false, true) => ActiveCondition::Activating,
        (false, false) => ActiveCondition::Inactive(InactiveReason::NoTraffic),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Annotations, Bounds, Config, Reachability, Workload};

    #[test]
    fn conditions() {
        use ActiveCondition::{Activating, Active, Inactive, Unchanged};
        let workload = Workload { container_concurrency: 0, reachability: Reachability::Reachable };
        let base = DeciderSpec::new(&Annotations::default(), &Config::default(), workload);
        let since = Duration::ZERO;
        let (unset, up) = (None, Some(Activity::Active { since }));
        let (starting, down) = (Some(Activity::Activating { since }), Some(Activity::Inactive { since }));
        // (min, initial, initialized, want, ready, before, expect)
        let cases = [
            (0, 1, false, -1, 0, unset, Activating),
            (0, 1, false, 1, 0, unset, Activating),
            (0, 1, false, 1, 1, starting, Active),
            (0, 3, false, 3, 2, starting, Activating),
            (0, 1, true, 1, 1, up, Active),
            (0, 1, true, 0, 1, up, Inactive(InactiveReason::NoTraffic)),
            (0, 1, true, 0, 0, down, Inactive(InactiveReason::NoTraffic)),
            (0, 1, false, 0, 0, starting, Inactive(InactiveReason::TimedOut)),
            (0, 1, true, 1, 0, down, Activating),
            (0, 0, false, -1, 0, unset, Inactive(InactiveReason::NoTraffic)),
            (0, 0, true, -1, 0, down, Inactive(InactiveReason::NoTraffic)),
            (0, 1, true, -1, 1, down, Unchanged),
            (2, 1, true, 2, 1, up, Activating),
        ];
        for (min, initial_scale, initialized, want, ready, before, expect) in cases {
            let spec = DeciderSpec { bounds: Bounds { min, max: 0 }, initial_scale, ..base.clone() };
            let input = ActiveInput { want, ready, before, initialized };
            assert_eq!(
                active_condition(&spec, &input),
                expect,
                "min {min} initial {initial_scale}: {input:?}"
            );
        }
    }
}
