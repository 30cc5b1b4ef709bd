//! The `autoscaling.knative.dev/` annotations of a revision template.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{TARGET_MIN, WINDOW_MAX, WINDOW_MIN, burst_capacity};
use crate::value::{duration, float, int, seconds};
use crate::{Aggregation, Error, Metric};

/// The annotation keys without their prefix, canonical spelling first, then the camelCase alias where one exists.
pub mod annotation {
    /// What every key begins with.
    pub const PREFIX: &str = "autoscaling.knative.dev/";
    /// The keys' spellings in order of priority: the first that is present wins.
    pub type Spellings = &'static [&'static str];

    pub const CLASS: Spellings = &["class"];
    pub const METRIC: Spellings = &["metric"];
    pub const TARGET: Spellings = &["target"];
    pub const TARGET_UTILIZATION: Spellings =
        &["target-utilization-percentage", "targetUtilizationPercentage"];
    pub const TARGET_BURST_CAPACITY: Spellings = &["target-burst-capacity", "targetBurstCapacity"];
    pub const MIN_SCALE: Spellings = &["min-scale", "minScale"];
    pub const MAX_SCALE: Spellings = &["max-scale", "maxScale"];
    pub const INITIAL_SCALE: Spellings = &["initial-scale", "initialScale"];
    pub const ACTIVATION_SCALE: Spellings = &["activation-scale"];
    pub const SCALE_DOWN_DELAY: Spellings = &["scale-down-delay", "scaleDownDelay"];
    pub const RETENTION: Spellings = &["scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod"];
    pub const WINDOW: Spellings = &["window"];
    pub const PANIC_WINDOW: Spellings = &["panic-window-percentage", "panicWindowPercentage"];
    pub const PANIC_THRESHOLD: Spellings = &["panic-threshold-percentage", "panicThresholdPercentage"];
    pub const AGGREGATION: Spellings = &["metric-aggregation-algorithm", "metricAggregationAlgorithm"];
}

/// What a revision says of its own scaling; `None` leaves it to [`Config`](crate::Config).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    pub class: Option<String>,
    pub metric: Option<Metric>,
    /// Load per instance, before the utilization is applied.
    pub target: Option<f64>,
    /// As a fraction.
    pub target_utilization: Option<f64>,
    pub target_burst_capacity: Option<f64>,
    pub min_scale: Option<i32>,
    pub max_scale: Option<i32>,
    pub initial_scale: Option<i32>,
    pub activation_scale: Option<i32>,
    pub scale_down_delay: Option<Duration>,
    pub scale_to_zero_pod_retention_period: Option<Duration>,
    pub window: Option<Duration>,
    pub panic_window_percentage: Option<f64>,
    pub panic_threshold_percentage: Option<f64>,
    pub aggregation: Option<Aggregation>,
}

impl Annotations {
    /// Reads a revision's annotations; keys of other prefixes are ignored.
    ///
    /// # Errors
    /// The first annotation whose value is malformed, out of range, or at odds with another.
    pub fn from_map(annotations: &BTreeMap<String, String>) -> Result<Self, Error> {
        let keys = Keys { annotations };
        let count = |text: &str| int(text, 0..=i32::MAX);
        let hour = Duration::ZERO..=Duration::from_secs(3600);
        let parsed = Self {
            class: keys.read(annotation::CLASS, |text| Ok(text.to_owned()))?,
            metric: keys.read(annotation::METRIC, metric)?,
            target: keys.read(annotation::TARGET, |text| float(text, TARGET_MIN..=f64::MAX))?,
            target_utilization: keys.read(annotation::TARGET_UTILIZATION, |text| {
                float(text, 1.0..=100.0).map(|percent| percent / 100.0)
            })?,
            target_burst_capacity: keys.read(annotation::TARGET_BURST_CAPACITY, burst_capacity)?,
            min_scale: keys.read(annotation::MIN_SCALE, count)?,
            max_scale: keys.read(annotation::MAX_SCALE, count)?,
            initial_scale: keys.read(annotation::INITIAL_SCALE, count)?,
            activation_scale: keys.read(annotation::ACTIVATION_SCALE, |text| int(text, 2..=i32::MAX))?,
            scale_down_delay: keys.read(annotation::SCALE_DOWN_DELAY, |text| seconds(text, hour.clone()))?,
            scale_to_zero_pod_retention_period: keys
                .read(annotation::RETENTION, |text| duration(text, hour.clone()))?,
            window: keys.read(annotation::WINDOW, |text| seconds(text, WINDOW_MIN..=WINDOW_MAX))?,
            panic_window_percentage: keys.read(annotation::PANIC_WINDOW, |text| float(text, 1.0..=100.0))?,
            panic_threshold_percentage: keys
                .read(annotation::PANIC_THRESHOLD, |text| float(text, 110.0..=1000.0))?,
            aggregation: keys.read(annotation::AGGREGATION, aggregation)?,
        };
        parsed.consistent()?;
        Ok(parsed)
    }

    fn consistent(&self) -> Result<(), Error> {
        let min = self.min_scale.unwrap_or(0);
        let max = self.max_scale.filter(|&max| max > 0).unwrap_or(i32::MAX);
        let wrong = |spellings: annotation::Spellings, value: i32, expected: String| {
            let key = format!("{}{}", annotation::PREFIX, spellings[0]);
            Err(Error::Annotation { key, value: value.to_string(), expected })
        };
        if min > max {
            return wrong(annotation::MIN_SCALE, min, format!("expected at most max-scale ({max})"));
        }
        match self.activation_scale {
            Some(scale) if scale < min => {
                wrong(annotation::ACTIVATION_SCALE, scale, format!("expected at least min-scale ({min})"))
            }
            Some(scale) if scale > max => {
                wrong(annotation::ACTIVATION_SCALE, scale, format!("expected at most max-scale ({max})"))
            }
            _ => Ok(()),
        }
    }
}

struct Keys<'a> {
    annotations: &'a BTreeMap<String, String>,
}

impl Keys<'_> {
    fn read<T>(
        &self,
        spellings: annotation::Spellings,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let found = spellings.iter().find_map(|name| {
            let key = format!("{}{name}", annotation::PREFIX);
            self.annotations.get(&key).map(|text| (key, text))
        });
        let Some((key, text)) = found else { return Ok(None) };
        parse(text).map(Some).map_err(|expected| Error::Annotation { key, value: text.clone(), expected })
    }
}

fn metric(text: &str) -> Result<Metric, String> {
    match text {
        "concurrency" => Ok(Metric::Concurrency),
        "rps" => Ok(Metric::Rps),
        _ => Err("expected concurrency or rps".into()),
    }
}

fn aggregation(text: &str) -> Result<Aggregation, String> {
    match text {
        "linear" => Ok(Aggregation::Linear),
        "weighted-exponential" | "weightedExponential" => Ok(Aggregation::WeightedExponential),
        _ => Err("expected linear or weighted-exponential".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Annotations, String> {
        let map = pairs.iter().map(|(k, v)| (format!("{}{k}", annotation::PREFIX), v.to_string())).collect();
        Annotations::from_map(&map).map_err(|error| error.to_string())
    }

    #[test]
    fn both_spellings_and_the_canonical_one_first() {
        let scale = |pairs| read(pairs).unwrap().min_scale;
        assert_eq!(scale(&[("min-scale", "2")]), Some(2));
        assert_eq!(scale(&[("minScale", "3")]), Some(3));
        assert_eq!(scale(&[("minScale", "3"), ("min-scale", "2")]), Some(2));
        assert_eq!(scale(&[]), None);
    }

    #[test]
    fn values() {
        let parsed = read(&[
            ("class", "kpa.autoscaling.knative.dev"),
            ("metric", "rps"),
            ("target", "150.5"),
            ("targetUtilizationPercentage", "80"),
            ("target-burst-capacity", "-1"),
            ("max-scale", "0"),
            ("activation-scale", "3"),
            ("scale-down-delay", "15m"),
            ("scale-to-zero-pod-retention-period", "90s"),
            ("window", "6s"),
            ("metric-aggregation-algorithm", "weightedExponential"),
        ])
        .unwrap();
        let expect = Annotations {
            class: Some("kpa.autoscaling.knative.dev".into()),
            metric: Some(Metric::Rps),
            target: Some(150.5),
            target_utilization: Some(0.8),
            target_burst_capacity: Some(-1.0),
            max_scale: Some(0),
            activation_scale: Some(3),
            scale_down_delay: Some(Duration::from_secs(900)),
            scale_to_zero_pod_retention_period: Some(Duration::from_secs(90)),
            window: Some(Duration::from_secs(6)),
            aggregation: Some(Aggregation::WeightedExponential),
            ..Annotations::default()
        };
        assert_eq!(parsed, expect);
    }

    #[test]
    fn refused() {
        type Case = (&'static [(&'static str, &'static str)], &'static str);
        let cases: &[Case] = &[
            (&[("target", "0")], "target = \"0\": expected a number of at least 0.01"),
            (&[("min-scale", "-1")], "min-scale = \"-1\": expected an integer of at least 0"),
            (&[("maxScale", "x")], "maxScale = \"x\": expected an integer of at least 0"),
            (&[("min-scale", "3"), ("max-scale", "2")], "min-scale = \"3\": expected at most max-scale (2)"),
            (&[("activation-scale", "1")], "activation-scale = \"1\": expected an integer of at least 2"),
            (
                &[("activation-scale", "2"), ("min-scale", "3")],
                "activation-scale = \"2\": expected at least min-scale (3)",
            ),
            (
                &[("activation-scale", "4"), ("max-scale", "3")],
                "activation-scale = \"4\": expected at most max-scale (3)",
            ),
            (&[("window", "5s")], "window = \"5s\": expected a duration from 6s to 3600s"),
            (
                &[("panic-threshold-percentage", "100")],
                "panic-threshold-percentage = \"100\": expected a number from 110 to 1000",
            ),
            (&[("metric", "cpu")], "metric = \"cpu\": expected concurrency or rps"),
        ];
        for (pairs, expect) in cases {
            assert_eq!(read(pairs), Err(format!("annotation {}{expect}", annotation::PREFIX)), "{pairs:?}");
        }
    }
}
