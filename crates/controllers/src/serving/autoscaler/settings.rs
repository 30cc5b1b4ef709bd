//! What a PodAutoscaler and the ConfigMaps say, in the autoscaler's terms.

use std::time::Duration;

use autoscaler::{Annotations, Config, DeciderSpec, Workload};
use resources::{annotations::ScalingError, autoscaling::PodAutoscaler, config::Configs, meta::ObjectMeta};

/// Everything that decisions on a Revision depend on.
///
/// # Errors
/// The annotations that make no sense, for a person. Admission lets none through, so they are of an older release.
pub(super) fn decider_spec(
    autoscaler: &PodAutoscaler,
    configs: &Configs,
) -> Result<DeciderSpec, ScalingError> {
    let annotations = annotations(&autoscaler.metadata, &configs.autoscaler)?;
    let workload = Workload {
        container_concurrency: autoscaler.spec.container_concurrency,
        reachability: autoscaler.spec.reachability,
    };
    let mut spec = DeciderSpec::new(&annotations, &configs.autoscaler, workload);
    // The grace period is an upper limit, there to have the activator put in the path before the last instance goes.
    // It always is, since it is part of the gateway (upstream: config-autoscaler, scale-to-zero-grace-period). So a
    // Revision is at zero one stable window and at most one tick after its last request: 8 s with `window: 6s`.
    spec.scale_to_zero_grace_period = Duration::ZERO;
    Ok(spec)
}

/// The instances that a Revision with these annotations begins with.
pub(crate) fn initial_scale(metadata: &ObjectMeta, config: &Config) -> i32 {
    autoscaler::initial_scale(&annotations(metadata, config).unwrap_or_default(), config)
}

fn annotations(metadata: &ObjectMeta, config: &Config) -> Result<Annotations, ScalingError> {
    let annotations = metadata.annotations.as_ref();
    annotations.map_or_else(|| Ok(Annotations::default()), |own| Annotations::from_map(own, config))
}
