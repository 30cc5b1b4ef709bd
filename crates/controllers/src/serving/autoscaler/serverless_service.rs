//! The ServerlessService of a PodAutoscaler.

use autoscaler::SksMode;
use resources::{
    Object,
    annotations::{CLASS, METRIC},
    autoscaling::PodAutoscaler,
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
