//! A revision's annotations and the configuration, resolved into what decisions depend on.

use std::time::Duration;

use resources::config::TARGET_MIN;

use crate::{Aggregation, Annotations, Bounds, Config, Metric, Reachability, ScalingMetric};

/// The share of an instance's requests per second to aim at (upstream: TargetUtilization, not a setting).
const RPS_UTILIZATION: f64 = 0.7;
/// The shortest panic window: one bucket.
const PANIC_WINDOW_MIN: Duration = Duration::from_secs(1);

/// What of the revision's own spec bears on its scaling.
#[derive(Clone, Copy, Debug, Default)]
pub struct Workload {
    /// containerConcurrency; 0 is without limit.
    pub container_concurrency: i64,
    /// Unreachable: neither kept at min-scale nor let down slowly. Unknown: treated as reachable by bounds, not by
    /// scale-down.
    pub reachability: Reachability,
}

/// Everything that decisions on one revision depend on, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct DeciderSpec {
    pub metric: Metric,
    pub aggregation: Aggregation,
    /// The load per instance to aim at.
    pub target: f64,
    /// The load that an instance can take.
    pub total: f64,
    /// Requests in flight to keep room for without the activator; -1 keeps the activator always in the path.
    pub target_burst_capacity: f64,
    pub activator_capacity: f64,
    pub max_scale_up_rate: f64,
    pub max_scale_down_rate: f64,
    pub stable_window: Duration,
    pub panic_window: Duration,
    /// Panic when the panic window asks for this many times the ready instances.
    pub panic_threshold: f64,
    pub bounds: Bounds,
    pub initial_scale: i32,
    /// The least scale above zero; 1 has no effect.
    pub activation_scale: i32,
    pub scale_down_delay: Duration,
    pub reachability: Reachability,
    pub scale_to_zero: bool,
    pub scale_to_zero_grace_period: Duration,
    pub scale_to_zero_pod_retention_period: Duration,
}

impl DeciderSpec {
    /// Resolves the revision's annotations against the cluster's configuration.
    pub fn new(annotations: &Annotations, config: &Config, workload: Workload) -> Self {
        let metric = metric(annotations);
        let Workload { container_concurrency, reachability } = workload;
        let total = total(annotations, config, metric, container_concurrency);
        let utilization = annotations.target_utilization.unwrap_or(match metric {
            Metric::Concurrency => config.container_concurrency_target_fraction,
            Metric::Rps => RPS_UTILIZATION,
        });
        let stable_window = annotations.window.unwrap_or(config.stable_window);
        let panic_percentage = annotations.panic_window_percentage.unwrap_or(config.panic_window_percentage);
        let unreachable = reachability == Reachability::Unreachable;
        Self {
            metric,
            aggregation: annotations.aggregation.unwrap_or_default(),
            target: (total * utilization).max(TARGET_MIN),
            total,
            target_burst_capacity: annotations.target_burst_capacity.unwrap_or(config.target_burst_capacity),
            activator_capacity: config.activator_capacity,
            max_scale_up_rate: config.max_scale_up_rate,
            max_scale_down_rate: config.max_scale_down_rate,
            stable_window,
            panic_window: panic_window(stable_window, panic_percentage),
            panic_threshold: annotations
                .panic_threshold_percentage
                .unwrap_or(config.panic_threshold_percentage)
                / 100.0,
            bounds: Bounds {
                min: if unreachable { 0 } else { annotations.min_scale.unwrap_or(config.min_scale) },
                max: annotations.max_scale.unwrap_or(config.max_scale),
            },
            initial_scale: initial_scale(annotations, config),
            activation_scale: annotations.activation_scale.unwrap_or(1),
            scale_down_delay: annotations.scale_down_delay.unwrap_or(config.scale_down_delay),
            reachability,
            scale_to_zero: config.enable_scale_to_zero,
            scale_to_zero_grace_period: config.scale_to_zero_grace_period,
            // Nobody waits for an unreachable revision, so nothing is kept warm for it.
            scale_to_zero_pod_retention_period: if unreachable {
                Duration::ZERO
            } else {
                annotations
                    .scale_to_zero_pod_retention_period
                    .unwrap_or(config.scale_to_zero_pod_retention_period)
            },
        }
    }

    /// The room for bursts to assume before the first decision.
    pub fn initial_excess_burst_capacity(&self) -> i32 {
        match self.target_burst_capacity {
            tbc if tbc <= 0.0 => tbc as i32,
            tbc => (f64::from(self.initial_scale) * self.total - tbc).floor() as i32,
        }
    }
}

fn total(annotations: &Annotations, config: &Config, metric: Metric, container_concurrency: i64) -> f64 {
    match metric {
        Metric::Rps => annotations.target.unwrap_or(config.rps_target_default),
        Metric::Concurrency if container_concurrency == 0 => {
            annotations.target.unwrap_or(config.container_concurrency_target_default)
        }
        // No instance ever sees more than containerConcurrency, so a higher target would never be reached.
        Metric::Concurrency => {
            let limit = container_concurrency as f64;
            annotations.target.map_or(limit, |target| target.min(limit))
        }
    }
}

fn panic_window(stable: Duration, percentage: f64) -> Duration {
    let seconds = (stable.as_secs_f64() * percentage / 100.0).round();
    Duration::from_secs_f64(seconds).max(PANIC_WINDOW_MIN)
}

/// The metric to decide by (upstream: ResolveMetricTarget, for which what is not rps is concurrency).
fn metric(annotations: &Annotations) -> Metric {
    match annotations.metric {
        Some(ScalingMetric::Rps) => Metric::Rps,
        None | Some(ScalingMetric::Concurrency | ScalingMetric::Other(_)) => Metric::Concurrency,
    }
}

/// The instances that a revision begins with. A 0 of its own counts only while the cluster allows it, which may have
/// changed since the revision was made.
pub fn initial_scale(annotations: &Annotations, config: &Config) -> i32 {
    annotations
        .initial_scale
        .filter(|&scale| scale > 0 || config.allow_zero_initial_scale)
        .unwrap_or(config.initial_scale)
}

#[cfg(test)]
mod tests;
