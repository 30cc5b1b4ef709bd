//! A PodAutoscaler's status.

use autoscaler::{ActiveInput, DeciderSpec, active_condition, active_threshold};
use resources::{
    Object,
    autoscaling::{
        ACTIVE, POD_AUTOSCALER_CONDITIONS, PodAutoscaler, PodAutoscalerStatus, SCALE_TARGET_INITIALIZED,
        SKS_READY,
    },
    condition::{self, Condition, READY},
    meta::Time,
    networking::ServerlessService,
};

use super::activity::{activity, verdict};
use crate::serving::{
    child::Child,
    verdict::{Verdict, mark},
};

/// What became of a PodAutoscaler.
pub(super) struct Observed {
    /// The scale now wanted; -1 is unknown.
    pub(super) want: i32,
    /// The size that the target has in its spec.
    pub(super) made_with: Option<i32>,
    /// Ready instances.
    pub(super) ready: i32,
    pub(super) serverless_service: Child<ServerlessService>,
}

/// The status of a PodAutoscaler.
pub(super) fn pod_autoscaler_status(
    autoscaler: &PodAutoscaler,
    spec: &DeciderSpec,
    observed: &Observed,
    now: &Time,
) -> PodAutoscalerStatus {
    let mut status = autoscaler.status.clone();
    status.observed_generation = Some(autoscaler.generation());
    status.actual_scale = Some(observed.ready);
    let decided = Some(observed.want).filter(|want| *want >= 0).or(status.desired_scale);
    // Until there is a decision, the size that its target was made with is the wanted one.
    status.desired_scale = decided.or(observed.made_with);
    let sks = observed.serverless_service.own();
    if let Some(sks) = sks {
        status.service_name = sks.status.service_name.clone().unwrap_or_default();
        status.metrics_service_name = sks.status.private_service_name.clone().unwrap_or_default();
    }
    let was_initialized = is_initialized(autoscaler);
    let reached =
        observed.ready >= active_threshold(spec, was_initialized) && !status.service_name.is_empty();
    let mut verdicts = vec![(SKS_READY, sks_ready(&observed.serverless_service))];
    if reached || was_initialized {
        verdicts.push((SCALE_TARGET_INITIALIZED, Verdict::yes()));
    }
    let input = ActiveInput {
        want: observed.want,
        ready: observed.ready,
        before: activity(autoscaler),
        initialized: was_initialized,
    };
    verdicts.extend(verdict(active_condition(spec, &input)).map(|verdict| (ACTIVE, verdict)));
    mark(&POD_AUTOSCALER_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}

/// The status of a PodAutoscaler that cannot be worked on, and why.
pub(super) fn refused_status(
    autoscaler: &PodAutoscaler,
    reason: &str,
    why: String,
    now: &Time,
) -> PodAutoscalerStatus {
    let mut status = autoscaler.status.clone();
    status.observed_generation = Some(autoscaler.generation());
    mark(&POD_AUTOSCALER_CONDITIONS, &mut status.conditions, [(ACTIVE, Verdict::no(reason, why))], now);
    status
}

/// Whether the initial scale was reached once.
pub(super) fn is_initialized(autoscaler: &PodAutoscaler) -> bool {
    condition::get(&autoscaler.status.conditions, SCALE_TARGET_INITIALIZED).is_some_and(Condition::is_true)
}

fn sks_ready(sks: &Child<ServerlessService>) -> Verdict {
    let Some(sks) = sks.own() else {
        return Verdict::no(
            "NotOwned",
            "There is an existing ServerlessService of the name that we do not own.",
        );
    };
    if sks.status.private_service_name.is_none() {
        return Verdict::unknown("NotReady", "No Private Service Name");
    }
    let ready = condition::get(&sks.status.conditions, READY);
    let observed = sks.status.observed_generation == Some(sks.generation());
    match ready {
        Some(ready) if ready.is_true() && observed => Verdict::yes(),
        ready => Verdict::unknown("NotReady", ready.map_or(String::new(), |ready| ready.message.clone())),
    }
}
