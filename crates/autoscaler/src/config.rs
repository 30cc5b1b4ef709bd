//! The ConfigMap `config-autoscaler`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Error;
use crate::value::{boolean, duration, float, int, seconds};

/// The least load per instance that a target may mean (upstream: autoscaling.TargetMin).
pub(crate) const TARGET_MIN: f64 = 0.01;
/// The shortest and longest stable window.
pub(crate) const WINDOW_MIN: Duration = Duration::from_secs(6);
pub(crate) const WINDOW_MAX: Duration = Duration::from_secs(3600);
const HOUR: Duration = Duration::from_secs(3600);

/// Every key of `config-autoscaler`. [`Config::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// container-concurrency-target-percentage, as a fraction.
    pub container_concurrency_target_fraction: f64,
    /// container-concurrency-target-default: the target when containerConcurrency is 0.
    pub container_concurrency_target_default: f64,
    /// requests-per-second-target-default.
    pub rps_target_default: f64,
    /// target-burst-capacity; -1 is without limit.
    pub target_burst_capacity: f64,
    /// stable-window.
    pub stable_window: Duration,
    /// panic-window-percentage, of the stable window.
    pub panic_window_percentage: f64,
    /// panic-threshold-percentage, of the ready instances.
    pub panic_threshold_percentage: f64,
    /// max-scale-up-rate, per decision.
    pub max_scale_up_rate: f64,
    /// max-scale-down-rate, per decision.
    pub max_scale_down_rate: f64,
    /// enable-scale-to-zero.
    pub enable_scale_to_zero: bool,
    /// scale-to-zero-grace-period: how long the activator must be in the path before the last instance goes.
    pub scale_to_zero_grace_period: Duration,
    /// scale-to-zero-pod-retention-period: the least time that the last instance stays.
    pub scale_to_zero_pod_retention_period: Duration,
    /// pod-autoscaler-class.
    pub pod_autoscaler_class: String,
    /// activator-capacity: requests in flight that one activator carries.
    pub activator_capacity: f64,
    /// initial-scale.
    pub initial_scale: i32,
    /// allow-zero-initial-scale.
    pub allow_zero_initial_scale: bool,
    /// min-scale.
    pub min_scale: i32,
    /// max-scale; 0 is without limit.
    pub max_scale: i32,
    /// max-scale-limit, which a revision's max-scale may not pass; 0 is without limit.
    pub max_scale_limit: i32,
    /// scale-down-delay.
    pub scale_down_delay: Duration,
}

impl Default for Config {
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
            pod_autoscaler_class: "kpa.autoscaling.knative.dev".into(),
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

impl Config {
    /// Reads the ConfigMap's data. A missing key keeps its default; an unknown one (`_example`) is ignored.
    ///
    /// # Errors
    /// The first key whose value is malformed, out of range, or at odds with another key.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut config = Self::default();
        let Self {
            container_concurrency_target_fraction,
            container_concurrency_target_default,
            rps_target_default,
            target_burst_capacity,
            stable_window,
            panic_window_percentage,
            panic_threshold_percentage,
            max_scale_up_rate,
            max_scale_down_rate,
            enable_scale_to_zero,
            scale_to_zero_grace_period,
            scale_to_zero_pod_retention_period,
            pod_autoscaler_class,
            activator_capacity,
            initial_scale,
            allow_zero_initial_scale,
            min_scale,
            max_scale,
            max_scale_limit,
            scale_down_delay,
        } = &mut config;
        let keys = Keys { data };
        let at_least = |min: f64| move |text: &str| float(text, min..=f64::MAX);
        let count = |text: &str| int(text, 0..=i32::MAX);
        let span = |text: &str| duration(text, Duration::ZERO..=Duration::MAX);

        keys.read(
            "container-concurrency-target-percentage",
            container_concurrency_target_fraction,
            fraction,
        )?;
        keys.read(
            "container-concurrency-target-default",
            container_concurrency_target_default,
            at_least(TARGET_MIN),
        )?;
        keys.read("requests-per-second-target-default", rps_target_default, at_least(TARGET_MIN))?;
        keys.read("target-burst-capacity", target_burst_capacity, burst_capacity)?;
        keys.read("stable-window", stable_window, |text| seconds(text, WINDOW_MIN..=WINDOW_MAX))?;
        keys.read("panic-window-percentage", panic_window_percentage, |text| float(text, 1.0..=100.0))?;
        keys.read("panic-threshold-percentage", panic_threshold_percentage, above(0.0))?;
        keys.read("max-scale-up-rate", max_scale_up_rate, above(1.0))?;
        keys.read("max-scale-down-rate", max_scale_down_rate, above(1.0))?;
        keys.read("enable-scale-to-zero", enable_scale_to_zero, boolean)?;
        keys.read("scale-to-zero-grace-period", scale_to_zero_grace_period, |text| {
            duration(text, Duration::from_nanos(1)..=Duration::MAX)
        })?;
        keys.read("scale-to-zero-pod-retention-period", scale_to_zero_pod_retention_period, span)?;
        keys.read("pod-autoscaler-class", pod_autoscaler_class, |text| Ok(text.to_owned()))?;
        keys.read("activator-capacity", activator_capacity, at_least(1.0))?;
        keys.read("initial-scale", initial_scale, count)?;
        keys.read("allow-zero-initial-scale", allow_zero_initial_scale, boolean)?;
        keys.read("min-scale", min_scale, count)?;
        keys.read("max-scale", max_scale, count)?;
        keys.read("max-scale-limit", max_scale_limit, count)?;
        keys.read("scale-down-delay", scale_down_delay, |text| seconds(text, Duration::ZERO..=HOUR))?;
        config.consistent()?;
        Ok(config)
    }

    /// What no key can say alone.
    fn consistent(&self) -> Result<(), Error> {
        let wrong = |key, value: String, expected: String| Err(Error::Config { key, value, expected });
        let target = self.container_concurrency_target_default * self.container_concurrency_target_fraction;
        if target < TARGET_MIN {
            let value = self.container_concurrency_target_default.to_string();
            return wrong(
                "container-concurrency-target-default",
                value,
                format!("expected at least {TARGET_MIN} after the target percentage"),
            );
        }
        if self.initial_scale == 0 && !self.allow_zero_initial_scale {
            return wrong("initial-scale", "0".into(), "0 needs allow-zero-initial-scale".into());
        }
        let limit = self.max_scale_limit;
        if limit > 0 && !(1..=limit).contains(&self.max_scale) {
            let expected = format!("expected 1 to max-scale-limit ({limit})");
            return wrong("max-scale", self.max_scale.to_string(), expected);
        }
        if self.max_scale > 0 && self.min_scale > self.max_scale {
            let expected = format!("expected at most max-scale ({})", self.max_scale);
            return wrong("min-scale", self.min_scale.to_string(), expected);
        }
        Ok(())
    }
}

struct Keys<'a> {
    data: &'a BTreeMap<String, String>,
}

impl Keys<'_> {
    fn read<T>(
        &self,
        key: &'static str,
        field: &mut T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<(), Error> {
        if let Some(text) = self.data.get(key) {
            *field = parse(text).map_err(|expected| Error::Config { key, value: text.clone(), expected })?;
        }
        Ok(())
    }
}

/// "70" and "0.7" mean the same; upstream keeps both for old ConfigMaps.
fn fraction(text: &str) -> Result<f64, String> {
    let value = float(text, f64::MIN_POSITIVE..=100.0)
        .map_err(|_| "expected a percentage from 1 to 100, or a fraction above 0".to_owned())?;
    Ok(if value > 1.0 { value / 100.0 } else { value })
}

/// -1 is "always keep the activator in the path".
pub(crate) fn burst_capacity(text: &str) -> Result<f64, String> {
    match float(text, -1.0..=f64::MAX) {
        Ok(value) if value >= 0.0 || value == -1.0 => Ok(value),
        _ => Err("expected -1 or a number of at least 0".into()),
    }
}

fn above(min: f64) -> impl Fn(&str) -> Result<f64, String> {
    move |text| match float(text, min..=f64::MAX) {
        Ok(value) if value > min => Ok(value),
        _ => Err(format!("expected a number above {min}")),
    }
}

#[cfg(test)]
mod tests;
