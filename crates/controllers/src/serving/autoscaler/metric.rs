//! The Metric of a PodAutoscaler.

use autoscaler::DeciderSpec;
use objects::Result;
use resources::{
    Object,
    autoscaling::{Metric, MetricSpec, PodAutoscaler},
    condition::{self, Condition, READY, Status},
    names,
};

use crate::serving::{
    child::{self, ensure, write_status},
    context::Context,
};

/// Makes the Metric, and Ready at once: what it asks for is measured by the gateway from the first request.
pub(super) async fn ensure_metric(
    context: &Context,
    autoscaler: &PodAutoscaler,
    spec: &DeciderSpec,
) -> Result<()> {
    let client = &context.client;
    let metric = ensure(client, autoscaler, desired_metric(autoscaler, spec), merge_metric).await?;
    let Some(metric) = metric.own() else { return Ok(()) };
    let ready = condition::get(&metric.status.conditions, READY).is_some_and(Condition::is_true);
    if ready && metric.status.observed_generation == Some(metric.generation()) {
        return Ok(());
    }
    let mut next = metric.clone();
    next.status.observed_generation = Some(metric.generation());
    condition::set(&mut next.status.conditions, READY, Status::True, "", "", "", &context.now());
    write_status(client, metric, next).await
}

/// The Metric of a PodAutoscaler. The activator is always in the path and reports all load, so no instance is asked.
fn desired_metric(autoscaler: &PodAutoscaler, spec: &DeciderSpec) -> Metric {
    let nanos = |window: std::time::Duration| i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
    Metric::new(
        child::metadata(
            autoscaler,
            names::metric(autoscaler.name()),
            child::labels(&autoscaler.metadata),
            child::annotations(&autoscaler.metadata),
        ),
        MetricSpec {
            stable_window: nanos(spec.stable_window),
            panic_window: nanos(spec.panic_window),
            scrape_target: String::new(),
        },
    )
}

fn merge_metric(existing: &Metric, desired: Metric) -> Metric {
    Metric { spec: desired.spec, ..existing.clone() }
}
