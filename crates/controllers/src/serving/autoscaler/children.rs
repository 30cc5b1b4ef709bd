//! What a PodAutoscaler makes: a ServerlessService and a Metric.

use autoscaler::{DeciderSpec, SksMode};
use resources::{
    Object,
    annotations::{CLASS, METRIC},
    autoscaling::{Metric, MetricSpec, PodAutoscaler},
    names,
    networking::{ServerlessService, ServerlessServiceMode, ServerlessServiceSpec},
};

use crate::serving::child;

/// The ServerlessService of a PodAutoscaler.
pub(super) fn desired_serverless_service(
    autoscaler: &PodAutoscaler,
    mode: SksMode,
    num_activators: i32,
) -> ServerlessService {
    let mut annotations = child::annotations(&autoscaler.metadata);
    annotations.remove(METRIC.name());
    annotations.remove(CLASS.name());
    ServerlessService::new(
        child::metadata(
            autoscaler,
            names::serverless_service(autoscaler.name()),
            child::labels(&autoscaler.metadata),
            annotations,
        ),
        ServerlessServiceSpec {
            mode: match mode {
                SksMode::Serve => ServerlessServiceMode::Serve,
                SksMode::Proxy => ServerlessServiceMode::Proxy,
            },
            object_ref: autoscaler.spec.scale_target_ref.clone(),
            protocol_type: autoscaler.spec.protocol_type.clone(),
            num_activators,
        },
    )
}

pub(super) fn merge_serverless_service(
    existing: &ServerlessService,
    desired: ServerlessService,
) -> ServerlessService {
    ServerlessService { spec: desired.spec, ..existing.clone() }
}

/// The Metric of a PodAutoscaler. With the activator always in the path it reports all load, so no instance is asked.
pub(super) fn desired_metric(autoscaler: &PodAutoscaler, spec: &DeciderSpec, scrape_target: &str) -> Metric {
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
            scrape_target: if spec.target_burst_capacity == -1.0 { "" } else { scrape_target }.to_owned(),
        },
    )
}

pub(super) fn merge_metric(existing: &Metric, desired: Metric) -> Metric {
    Metric { spec: desired.spec, ..existing.clone() }
}
