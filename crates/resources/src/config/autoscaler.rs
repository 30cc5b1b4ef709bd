//! `config-autoscaler`: how Revisions scale when their annotations do not say otherwise.

use std::{collections::BTreeMap, time::Duration};

use super::data::{ConfigError, Data};
use crate::{
    annotations::{CLASS_HPA, CLASS_KPA},
    duration,
};

/// The lowest target that means anything: `autoscaling.TargetMin` upstream.
pub const TARGET_MIN: f64 = 0.01;
/// The shortest stable window.
pub const WINDOW_MIN: Duration = Duration::from_secs(6);
/// The longest stable window, and the longest delay and retention.
pub const WINDOW_MAX: Duration = Duration::from_secs(3600);

/// The values of `config-autoscaler`; [`Autoscaler::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaler {
    /// `container-concurrency-target-percentage` as a fraction, above 0 and at most 1.
    pub container_concurrency_target_fraction: f64,
    /// `container-concurrency-target-default`: the target where containerConcurrency is 0.
    pub container_concurrency_target_default: f64,
    /// `requests-per-second-target-default`.
    pub rps_target_default: f64,
    /// `target-burst-capacity`; -1 is without limit.
    pub target_burst_capacity: f64,
    /// `stable-window`, whole seconds.
    pub stable_window: Duration,
    /// `panic-window-percentage`, of the stable window.
    pub panic_window_percentage: f64,
    /// `panic-threshold-percentage`, of what the ready instances can take.
    pub panic_threshold_percentage: f64,
    /// `max-scale-up-rate`, above 1.
    pub max_scale_up_rate: f64,
    /// `max-scale-down-rate`, above 1.
    pub max_scale_down_rate: f64,
    /// `enable-scale-to-zero`.
    pub enable_scale_to_zero: bool,
    /// `scale-to-zero-grace-period`: how long the activator is in the path before the last instance goes.
    pub scale_to_zero_grace_period: Duration,
    /// `scale-to-zero-pod-retention-period`: how long the last instance stays at least.
    pub scale_to_zero_pod_retention_period: Duration,
    /// `pod-autoscaler-class`.
    pub pod_autoscaler_class: String,
    /// `activator-capacity`: requests that one activator carries at once.
    pub activator_capacity: f64,
    /// `initial-scale`.
    pub initial_scale: i32,
    /// `allow-zero-initial-scale`.
    pub allow_zero_initial_scale: bool,
    /// `min-scale`.
    pub min_scale: i32,
    /// `max-scale`; 0 is without limit.
    pub max_scale: i32,
    /// `max-scale-limit`: what max-scale may be at most; 0 is without limit.
    pub max_scale_limit: i32,
    /// `scale-down-delay`, whole seconds.
    pub scale_down_delay: Duration,
}

impl Default for Autoscaler {
    fn default() -> Self {
        Self {
            container_concurrency_target_fraction: 0.7,
            container_concurrency_target_default: 100.0,
            rps_target_default: 200.0,
            target_burst_capacity: 211.0,
            stable_window: Duration::from_secs(60),
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            enable_scale_to_zero: true,
            scale_to_zero_grace_period: Duration::from_secs(30),
            scale_to_zero_pod_retention_period: Duration::ZERO,
            pod_autoscaler_class: CLASS_KPA.to_owned(),
            activator_capacity: 100.0,
            initial_scale: 1,
            allow_zero_initial_scale: false,
            min_scale: 0,
            max_scale: 0,
            max_scale_limit: 0,
            scale_down_delay: Duration::ZERO,
        }
    }
}

impl Autoscaler {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-autoscaler";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        data.read(
            "container-concurrency-target-percentage",
            &mut config.container_concurrency_target_fraction,
        )?;
        data.read("container-concurrency-target-default", &mut config.container_concurrency_target_default)?;
        data.read("requests-per-second-target-default", &mut config.rps_target_default)?;
        data.read("target-burst-capacity", &mut config.target_burst_capacity)?;
        data.read("stable-window", &mut config.stable_window)?;
        data.read("panic-window-percentage", &mut config.panic_window_percentage)?;
        data.read("panic-threshold-percentage", &mut config.panic_threshold_percentage)?;
        data.read("max-scale-up-rate", &mut config.max_scale_up_rate)?;
        data.read("max-scale-down-rate", &mut config.max_scale_down_rate)?;
        data.read("enable-scale-to-zero", &mut config.enable_scale_to_zero)?;
        data.read("scale-to-zero-grace-period", &mut config.scale_to_zero_grace_period)?;
        data.read("scale-to-zero-pod-retention-period", &mut config.scale_to_zero_pod_retention_period)?;
        data.read("pod-autoscaler-class", &mut config.pod_autoscaler_class)?;
        data.read("activator-capacity", &mut config.activator_capacity)?;
        data.read("initial-scale", &mut config.initial_scale)?;
        data.read("allow-zero-initial-scale", &mut config.allow_zero_initial_scale)?;
        data.read("min-scale", &mut config.min_scale)?;
        data.read("max-scale", &mut config.max_scale)?;
        data.read("max-scale-limit", &mut config.max_scale_limit)?;
        data.read("scale-down-delay", &mut config.scale_down_delay)?;
        // Percent and fraction share one key: what is above 1 is percent.
        if config.container_concurrency_target_fraction > 1.0 {
            config.container_concurrency_target_fraction /= 100.0;
        }
        config.check_load(data)?;
        config.check_times(data)?;
        config.check_scale(data)?;
        data.check(config.pod_autoscaler_class != CLASS_HPA, "pod-autoscaler-class", || {
            format!("must not be {CLASS_HPA}: this release of Ebb has no autoscaler of this class; use {CLASS_KPA}")
        })?;
        Ok(config)
    }

    fn check_load(&self, data: Data<'_>) -> Result<(), ConfigError> {
        let fraction = self.container_concurrency_target_fraction;
        data.check(fraction > 0.0 && fraction <= 1.0, "container-concurrency-target-percentage", || {
            "must be above 0 and at most 100".to_owned()
        })?;
        let target = fraction * self.container_concurrency_target_default;
        data.check(target >= TARGET_MIN, "container-concurrency-target-default", || {
            format!(
                "with container-concurrency-target-percentage it gives a target of {target}, which must be at least \
                 {TARGET_MIN}"
            )
        })?;
        data.check(self.rps_target_default >= TARGET_MIN, "requests-per-second-target-default", || {
            format!("must be at least {TARGET_MIN}, was {}", self.rps_target_default)
        })?;
        let burst = self.target_burst_capacity;
        data.check(burst >= 0.0 || burst == -1.0, "target-burst-capacity", || {
            format!("must be 0 or more, or -1 for no limit, was {burst}")
        })?;
        data.check(self.activator_capacity >= 1.0, "activator-capacity", || {
            format!("must be at least 1, was {}", self.activator_capacity)
        })?;
        for (key, rate) in
            [("max-scale-up-rate", self.max_scale_up_rate), ("max-scale-down-rate", self.max_scale_down_rate)]
        {
            data.check(rate > 1.0, key, || format!("must be above 1, was {rate}"))?;
        }
        let panic = self.panic_window_percentage;
        data.check((1.0..=100.0).contains(&panic), "panic-window-percentage", || {
            format!("must be from 1 to 100, was {panic}")
        })
    }

    fn check_times(&self, data: Data<'_>) -> Result<(), ConfigError> {
        data.check((WINDOW_MIN..=WINDOW_MAX).contains(&self.stable_window), "stable-window", || {
            format!("must be from 6s to 1h, was {}", duration::format(self.stable_window))
        })?;
        data.check(!self.scale_to_zero_grace_period.is_zero(), "scale-to-zero-grace-period", || {
            "must be above 0s".to_owned()
        })?;
        for (key, time) in
            [("stable-window", self.stable_window), ("scale-down-delay", self.scale_down_delay)]
        {
            data.check(time.subsec_nanos() == 0, key, || {
                format!("must be whole seconds, was {}", duration::format(time))
            })?;
        }
        Ok(())
    }

    fn check_scale(&self, data: Data<'_>) -> Result<(), ConfigError> {
        let lowest = i32::from(!self.allow_zero_initial_scale);
        data.check(self.initial_scale >= lowest, "initial-scale", || {
            format!(
                "must be at least {lowest}, was {} (0 needs allow-zero-initial-scale: \"true\")",
                self.initial_scale
            )
        })?;
        data.check(self.min_scale >= 0, "min-scale", || {
            format!("must be at least 0, was {}", self.min_scale)
        })?;
        data.check(self.max_scale_limit >= 0, "max-scale-limit", || {
            format!("must be at least 0, was {}", self.max_scale_limit)
        })?;
        data.check(self.max_scale >= 0, "max-scale", || {
            format!("must be at least 0, was {}", self.max_scale)
        })?;
        let limit = self.max_scale_limit;
        data.check(limit == 0 || (1..=limit).contains(&self.max_scale), "max-scale", || {
            format!("must be from 1 to max-scale-limit ({limit}), was {}", self.max_scale)
        })?;
        data.check(self.max_scale == 0 || self.min_scale <= self.max_scale, "min-scale", || {
            format!("({}) must be no more than max-scale ({})", self.min_scale, self.max_scale)
        })
    }
}

#[cfg(test)]
mod tests;
