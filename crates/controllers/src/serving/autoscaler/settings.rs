//! What a PodAutoscaler and the ConfigMaps say, in the autoscaler's terms.

use std::time::Duration;

use autoscaler::{Annotations, DeciderSpec, Workload};
use resources::{
    autoscaling::{PodAutoscaler, Reachability},
    config::{Autoscaler, Configs},
    meta::ObjectMeta,
};

use crate::serving::context::ActivatorPath;

/// Everything that decisions on a Revision depend on.
///
/// # Errors
/// The annotation that makes no sense, for a person. Admission lets none through, so one is of an older release.
pub(super) fn decider_spec(
    autoscaler: &PodAutoscaler,
    configs: &Configs,
    activator: ActivatorPath,
) -> Result<DeciderSpec, autoscaler::Error> {
    let annotations = annotations(&autoscaler.metadata)?;
    let workload = Workload {
        container_concurrency: autoscaler.spec.container_concurrency,
        reachability: match autoscaler.spec.reachability {
            Reachability::Unknown => autoscaler::Reachability::Unknown,
            Reachability::Reachable => autoscaler::Reachability::Reachable,
            Reachability::Unreachable => autoscaler::Reachability::Unreachable,
        },
    };
    let mut spec = DeciderSpec::new(&annotations, &config(&configs.autoscaler), workload);
    if activator == ActivatorPath::Always {
        // The grace period is an upper limit, there to have the activator put in the path before the last instance
        // goes; where it always is, none is needed (upstream: config-autoscaler, scale-to-zero-grace-period). So a
        // Revision is at zero one stable window and at most one tick after its last request: 8 s with `window: 6s`.
        spec.scale_to_zero_grace_period = Duration::ZERO;
    }
    Ok(spec)
}

/// The instances that a Revision with these annotations begins with.
pub(crate) fn initial_scale(metadata: &ObjectMeta, config: &Autoscaler) -> i32 {
    let annotations = annotations(metadata).unwrap_or_default();
    match annotations.initial_scale {
        Some(scale) if scale > 0 || config.allow_zero_initial_scale => scale,
        _ => config.initial_scale,
    }
}

fn annotations(metadata: &ObjectMeta) -> Result<Annotations, autoscaler::Error> {
    metadata.annotations.as_ref().map_or_else(|| Ok(Annotations::default()), Annotations::from_map)
}

fn config(config: &Autoscaler) -> autoscaler::Config {
    autoscaler::Config {
        container_concurrency_target_fraction: config.container_concurrency_target_fraction,
        container_concurrency_target_default: config.container_concurrency_target_default,
        rps_target_default: config.rps_target_default,
        target_burst_capacity: config.target_burst_capacity,
        stable_window: config.stable_window,
        panic_window_percentage: config.panic_window_percentage,
        panic_threshold_percentage: config.panic_threshold_percentage,
        max_scale_up_rate: config.max_scale_up_rate,
        max_scale_down_rate: config.max_scale_down_rate,
        enable_scale_to_zero: config.enable_scale_to_zero,
        scale_to_zero_grace_period: config.scale_to_zero_grace_period,
        scale_to_zero_pod_retention_period: config.scale_to_zero_pod_retention_period,
        pod_autoscaler_class: config.pod_autoscaler_class.clone(),
        activator_capacity: config.activator_capacity,
        initial_scale: config.initial_scale,
        allow_zero_initial_scale: config.allow_zero_initial_scale,
        min_scale: config.min_scale,
        max_scale: config.max_scale,
        max_scale_limit: config.max_scale_limit,
        scale_down_delay: config.scale_down_delay,
    }
}
