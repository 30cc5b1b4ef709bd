//! `autoscaling.knative.dev/…`: on a revision template, how the Revision scales.

use super::keys;

/// The prefix of these keys.
pub const AUTOSCALING_GROUP: &str = "autoscaling.knative.dev";
/// The class of Knative's own autoscaler.
pub const CLASS_KPA: &str = "kpa.autoscaling.knative.dev";
/// The class of the Kubernetes HorizontalPodAutoscaler.
pub const CLASS_HPA: &str = "hpa.autoscaling.knative.dev";
/// Scale by requests in hand.
pub const METRIC_CONCURRENCY: &str = "concurrency";
/// Scale by requests per second.
pub const METRIC_RPS: &str = "rps";
/// Scale by CPU; HPA only.
pub const METRIC_CPU: &str = "cpu";

keys! {
    /// Who scales.
    CLASS = "autoscaling.knative.dev/class";
    /// What is measured.
    METRIC = "autoscaling.knative.dev/metric";
    /// How much of it one instance should have.
    TARGET = "autoscaling.knative.dev/target";
    /// The share of the target that is aimed at, in percent.
    TARGET_UTILIZATION_PERCENTAGE = "autoscaling.knative.dev/target-utilization-percentage" | "autoscaling.knative.dev/targetUtilizationPercentage";
    /// The burst to be absorbed without the activator; -1 keeps it in the path.
    TARGET_BURST_CAPACITY = "autoscaling.knative.dev/target-burst-capacity" | "autoscaling.knative.dev/targetBurstCapacity";
    /// Never fewer instances than this.
    MIN_SCALE = "autoscaling.knative.dev/min-scale" | "autoscaling.knative.dev/minScale";
    /// Never more instances than this; 0 is no limit.
    MAX_SCALE = "autoscaling.knative.dev/max-scale" | "autoscaling.knative.dev/maxScale";
    /// Instances that must have been ready once before the Revision counts as ready.
    INITIAL_SCALE = "autoscaling.knative.dev/initial-scale" | "autoscaling.knative.dev/initialScale";
    /// Instances at the least, once there is any.
    ACTIVATION_SCALE = "autoscaling.knative.dev/activation-scale";
    /// How long fewer instances must have sufficed before some are taken away.
    SCALE_DOWN_DELAY = "autoscaling.knative.dev/scale-down-delay" | "autoscaling.knative.dev/scaleDownDelay";
    /// How long the last instance stays after it was needed.
    SCALE_TO_ZERO_POD_RETENTION_PERIOD = "autoscaling.knative.dev/scale-to-zero-pod-retention-period" | "autoscaling.knative.dev/scaleToZeroPodRetentionPeriod";
    /// The stable window.
    WINDOW = "autoscaling.knative.dev/window";
    /// The panic window, in percent of the stable one.
    PANIC_WINDOW_PERCENTAGE = "autoscaling.knative.dev/panic-window-percentage" | "autoscaling.knative.dev/panicWindowPercentage";
    /// The load that starts a panic, in percent of what the instances can take.
    PANIC_THRESHOLD_PERCENTAGE = "autoscaling.knative.dev/panic-threshold-percentage" | "autoscaling.knative.dev/panicThresholdPercentage";
    /// How a window is averaged.
    METRIC_AGGREGATION_ALGORITHM = "autoscaling.knative.dev/metric-aggregation-algorithm" | "autoscaling.knative.dev/metricAggregationAlgorithm";
}
