//! The autoscaling annotations of a Revision, typed and checked.
//!
//! Upstream: serving, `pkg/apis/autoscaling/annotation_validation.go`.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    ACTIVATION_SCALE, CLASS, CLASS_HPA, CLASS_KPA, INITIAL_SCALE, Key, MAX_SCALE, METRIC,
    METRIC_AGGREGATION_ALGORITHM, METRIC_CONCURRENCY, METRIC_RPS, MIN_SCALE, PANIC_THRESHOLD_PERCENTAGE,
    PANIC_WINDOW_PERCENTAGE, SCALE_DOWN_DELAY, SCALE_TO_ZERO_POD_RETENTION_PERIOD, TARGET,
    TARGET_BURST_CAPACITY, TARGET_UTILIZATION_PERCENTAGE, WINDOW,
};
use crate::{
    admission::{KnativeErrors, Path},
    config::{Autoscaler, TARGET_MIN, WINDOW_MAX, WINDOW_MIN},
    duration,
};

/// What a Revision is scaled by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScalingMetric {
    /// Requests in hand.
    Concurrency,
    /// Requests per second.
    Rps,
    /// One that only another class than Knative's own knows, such as `cpu`.
    Other(String),
}

/// How a window is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregation {
    /// Every second counts alike.
    #[default]
    Linear,
    /// Later seconds count more.
    WeightedExponential,
}

/// What a Revision says of its own scaling; `None` leaves it to [`Autoscaler`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaling {
    /// Who scales.
    pub class: Option<String>,
    /// What is measured.
    pub metric: Option<ScalingMetric>,
    /// How much of it one instance should have, before the utilization is applied.
    pub target: Option<f64>,
    /// The share of the target that is aimed at, as a fraction.
    pub target_utilization: Option<f64>,
    /// The burst to be absorbed without the activator; -1 keeps it in the path.
    pub target_burst_capacity: Option<f64>,
    /// Fewest instances.
    pub min_scale: Option<i32>,
    /// Most instances; 0 is no limit.
    pub max_scale: Option<i32>,
    /// Instances that must have been ready once.
    pub initial_scale: Option<i32>,
    /// Fewest instances while there is any.
    pub activation_scale: Option<i32>,
    /// How long fewer instances must have sufficed.
    pub scale_down_delay: Option<Duration>,
    /// How long the last instance stays.
    pub scale_to_zero_pod_retention_period: Option<Duration>,
    /// The stable window.
    pub window: Option<Duration>,
    /// The panic window, in percent of the stable one.
    pub panic_window_percentage: Option<f64>,
    /// The load that starts a panic, in percent.
    pub panic_threshold_percentage: Option<f64>,
    /// How windows are averaged.
    pub aggregation: Option<Aggregation>,
}

/// Annotations that admission would refuse, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScalingError(String);

impl Scaling {
    /// Reads the annotations of a Revision that exists; keys of other groups are passed over.
    ///
    /// What is wrong in itself is an error. What only the configuration forbids is not: it may have changed since
    /// admission let the Revision in, which must go on working.
    pub fn from_map(
        annotations: &BTreeMap<String, String>,
        config: &Autoscaler,
    ) -> Result<Self, ScalingError> {
        let mut errors = KnativeErrors::default();
        let config = Autoscaler { allow_zero_initial_scale: true, max_scale_limit: 0, ..config.clone() };
        let scaling = Self::check(annotations, &config, Path::root("metadata.annotations"), &mut errors);
        if errors.is_empty() { Ok(scaling) } else { Err(ScalingError(errors.to_string())) }
    }

    /// Reads the annotations at `path` and says what is wrong with them. What is wrong is left out of the answer.
    pub(crate) fn check(
        annotations: &BTreeMap<String, String>,
        config: &Autoscaler,
        path: Path<'_>,
        errors: &mut KnativeErrors,
    ) -> Self {
        let mut read = Reader { annotations, path, errors };
        let scaling = Self {
            class: read.class(),
            metric: read.metric(config),
            target: read.target(),
            target_utilization: read
                .float(TARGET_UTILIZATION_PERCENTAGE, 1.0, 100.0)
                .map(|percent| percent / 100.0),
            target_burst_capacity: read.burst_capacity(),
            min_scale: read.count(MIN_SCALE),
            max_scale: read.count(MAX_SCALE),
            initial_scale: read.initial_scale(config),
            activation_scale: read.activation_scale(),
            scale_down_delay: read.duration(SCALE_DOWN_DELAY, Duration::ZERO, true),
            scale_to_zero_pod_retention_period: read.duration(
                SCALE_TO_ZERO_POD_RETENTION_PERIOD,
                Duration::ZERO,
                false,
            ),
            window: read.duration(WINDOW, WINDOW_MIN, true),
            panic_window_percentage: read.float(PANIC_WINDOW_PERCENTAGE, 1.0, 100.0),
            panic_threshold_percentage: read.float(PANIC_THRESHOLD_PERCENTAGE, 110.0, 1000.0),
            aggregation: read.aggregation(),
        };
        read.check_bounds(&scaling, config);
        scaling
    }
}

struct Reader<'a> {
    annotations: &'a BTreeMap<String, String>,
    path: Path<'a>,
    errors: &'a mut KnativeErrors,
}

impl Reader<'_> {
    fn class(&mut self) -> Option<String> {
        let (key, class) = CLASS.find(self.annotations)?;
        if class.ends_with(".knative.dev") && class != CLASS_KPA && class != CLASS_HPA {
            self.errors.invalid(class, self.path.child(key));
            return None;
        }
        Some(class.to_owned())
    }

    /// The class decides which metrics there are; a class of someone else may have any.
    fn metric(&mut self, config: &Autoscaler) -> Option<ScalingMetric> {
        let (key, metric) = METRIC.find(self.annotations)?;
        let class = super::lookup(self.annotations, &CLASS).unwrap_or(&config.pod_autoscaler_class);
        let known = match class {
            CLASS_KPA => matches!(metric, METRIC_CONCURRENCY | METRIC_RPS),
            CLASS_HPA => !metric.is_empty(),
            _ => true,
        };
        if !known {
            self.errors.invalid(metric, self.path.child(key));
            return None;
        }
        Some(match metric {
            METRIC_CONCURRENCY => ScalingMetric::Concurrency,
            METRIC_RPS => ScalingMetric::Rps,
            other => ScalingMetric::Other(other.to_owned()),
        })
    }

    fn target(&mut self) -> Option<f64> {
        let (key, text) = TARGET.find(self.annotations)?;
        match number(text) {
            None => self.errors.invalid(text, self.path.child(key)),
            Some(target) if target < TARGET_MIN => {
                let message = format!("target {text} should be at least {TARGET_MIN}");
                self.errors.add(message, &[self.path.child(key)], "");
            }
            target => return target,
        }
        None
    }

    fn float(&mut self, key: Key, low: f64, high: f64) -> Option<f64> {
        let (key, text) = key.find(self.annotations)?;
        match number(text) {
            None => self.errors.invalid(text, self.path.child(key)),
            Some(value) if !(low..=high).contains(&value) => {
                self.errors.out_of_bounds(text, low, high, self.path.child(key));
            }
            value => return value,
        }
        None
    }

    fn burst_capacity(&mut self) -> Option<f64> {
        let (key, text) = TARGET_BURST_CAPACITY.find(self.annotations)?;
        let capacity = number(text).filter(|capacity| *capacity >= 0.0 || *capacity == -1.0);
        if capacity.is_none() {
            self.errors.invalid(text, self.path.child(key));
        }
        capacity
    }

    fn count(&mut self, key: Key) -> Option<i32> {
        let (key, text) = key.find(self.annotations)?;
        let is_number = !text.trim_start_matches(['+', '-']).is_empty()
            && text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<i32>() {
            Ok(count) if count >= 0 => return Some(count),
            Err(_) if !is_number => self.errors.invalid(text, self.path.child(key)),
            _ => self.errors.out_of_bounds(text, 0, i32::MAX, self.path.child(key)),
        }
        None
    }

    fn initial_scale(&mut self, config: &Autoscaler) -> Option<i32> {
        let (key, text) = INITIAL_SCALE.find(self.annotations)?;
        // Upstream puts the reason into the path.
        let path = match text.parse::<i32>() {
            Ok(scale) if scale > 0 || (scale == 0 && config.allow_zero_initial_scale) => return Some(scale),
            Ok(0) => format!("{key}=0 not allowed by cluster"),
            Ok(_) => format!("{key} must be greater than 0"),
            Err(_) => key.to_owned(),
        };
        self.errors.invalid(text, self.path.child(&path));
        None
    }

    fn activation_scale(&mut self) -> Option<i32> {
        let (key, text) = ACTIVATION_SCALE.find(self.annotations)?;
        let scale = text.parse().ok();
        if scale.is_none() {
            self.errors.invalid(text, self.path.child(key));
        }
        scale
    }

    fn duration(&mut self, key: Key, low: Duration, whole_seconds: bool) -> Option<Duration> {
        let (key, text) = key.find(self.annotations)?;
        let path = self.path.child(key);
        let Some(nanos) = duration::parse_nanos(text) else {
            self.errors.invalid(text, path);
            return None;
        };
        match u64::try_from(nanos).map(Duration::from_nanos) {
            Ok(value) if (low..=WINDOW_MAX).contains(&value) => {
                if whole_seconds && !duration::is_whole_seconds(nanos) {
                    self.errors.add("must be specified with at most second precision", &[path], "");
                    return None;
                }
                Some(value)
            }
            _ => {
                self.errors.out_of_bounds(text, duration::format(low), duration::format(WINDOW_MAX), path);
                None
            }
        }
    }

    /// Only Knative's own class has algorithms of ours.
    fn aggregation(&mut self) -> Option<Aggregation> {
        let (key, text) = METRIC_AGGREGATION_ALGORITHM.find(self.annotations)?;
        match text {
            "linear" => return Some(Aggregation::Linear),
            "weighted-exponential" | "weightedExponential" => return Some(Aggregation::WeightedExponential),
            _ => {}
        }
        if super::lookup(self.annotations, &CLASS) == Some(CLASS_KPA) && !text.is_empty() {
            self.errors.invalid(text, self.path.child(key));
        }
        None
    }

    fn check_bounds(&mut self, scaling: &Scaling, config: &Autoscaler) {
        let (min, max) = (scaling.min_scale.unwrap_or(0), scaling.max_scale.unwrap_or(0));
        if max != 0 && max < min {
            let paths = [self.path.child(MAX_SCALE.name()), self.path.child(MIN_SCALE.name())];
            self.errors.add(format!("max-scale={max} is less than min-scale={min}"), &paths, "");
        }
        let limit = config.max_scale_limit;
        if let Some((key, _)) = MAX_SCALE.find(self.annotations)
            && limit != 0
        {
            if max > limit {
                self.errors.out_of_bounds(max, 1, limit, self.path.child(key));
            } else if max == 0 {
                let message = format!("max-scale=0 (unlimited), must be less than {limit}");
                self.errors.add(message, &[self.path.child(key)], "");
            }
        }
        let Some(activation) = scaling.activation_scale else { return };
        let message = if min > activation {
            format!("min-scale={min} is greater than activation-scale={activation}")
        } else if max != 0 && max < activation {
            format!("max-scale={max} is less than activation-scale={activation}")
        } else if activation < 2 {
            format!("activation-scale={activation} must be greater than 1")
        } else {
            return;
        };
        self.errors.add(message, &[self.path.child(ACTIVATION_SCALE.name())], "");
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl fmt::Display for ScalingMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Concurrency => METRIC_CONCURRENCY,
            Self::Rps => METRIC_RPS,
            Self::Other(other) => other,
        })
    }
}

#[cfg(test)]
mod tests;
