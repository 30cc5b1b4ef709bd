//! Flags for scaling, concurrency and timeouts.

use resources::{
    annotations::{
        ACTIVATION_SCALE, INITIAL_SCALE, Key, MAX_SCALE, METRIC, MIN_SCALE, TARGET,
        TARGET_UTILIZATION_PERCENTAGE, WINDOW,
    },
    duration,
    serving::RevisionTemplateSpec,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct ScaleArgs {
    /// Instances, fewest and most: N, MIN..MAX, MIN.. or ..MAX
    #[arg(long, value_name = "RANGE", conflicts_with_all = ["scale_min", "scale_max"])]
    scale: Option<String>,
    /// Fewest instances; 0 unless set
    #[arg(long, alias = "min-scale", value_name = "N", allow_negative_numbers = true)]
    scale_min: Option<u32>,
    /// Most instances; 0, also unless set, for no limit
    #[arg(long, alias = "max-scale", value_name = "N", allow_negative_numbers = true)]
    scale_max: Option<u32>,
    /// Instances that a new revision starts with; 1 unless set
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    scale_init: Option<u32>,
    /// Fewest instances while there is any; 1 unless set
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    scale_activation: Option<u32>,
    /// Requests that one instance should have in hand at once; the concurrency limit unless set, or else 100
    #[arg(long, alias = "concurrency-target", value_name = "N", allow_negative_numbers = true)]
    scale_target: Option<u32>,
    /// What scaling goes by: concurrency, also unless set; or rps, which Ebb refuses
    #[arg(long, value_name = "NAME")]
    scale_metric: Option<String>,
    /// Share of the target that is aimed at, in percent; 70 unless set
    #[arg(long, alias = "concurrency-utilization", value_name = "PERCENT", allow_negative_numbers = true)]
    scale_utilization: Option<u32>,
    /// How far scaling looks back, and how long an idle service keeps its last instance, as 90s or 2m; 60s unless set
    #[arg(long, alias = "autoscale-window", value_name = "DURATION")]
    scale_window: Option<String>,
    /// Most requests that one instance has in hand at once; 0, also unless set, for no limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    concurrency_limit: Option<i64>,
    /// Seconds that a request may take; 300 unless set
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
}

impl ScaleArgs {
    /// Whether `--scale-init` is given.
    pub(super) fn sets_initial_scale(&self) -> bool {
        self.scale_init.is_some()
    }

    pub(super) fn apply(&self, template: &mut RevisionTemplateSpec) -> Result<(), String> {
        let (min, max) = match self.scale.as_deref() {
            Some(range) => read_range(range)?,
            None => (self.scale_min, self.scale_max),
        };
        if let Some(window) = &self.scale_window
            && duration::parse_nanos(window).is_none()
        {
            return Err(format!("invalid duration for 'scale-window': {window:?}; examples: 60s, 2m"));
        }
        if let Some(limit) = self.concurrency_limit {
            if limit < 0 {
                return Err(format!("invalid concurrency-limit {limit} (must not be less than 0)"));
            }
            template.spec.container_concurrency = Some(limit);
        }
        if self.timeout.is_some() {
            template.spec.timeout_seconds = self.timeout;
        }
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let wishes: [(Key, Option<String>); 8] = [
            (MIN_SCALE, number(min)),
            (MAX_SCALE, number(max)),
            (INITIAL_SCALE, number(self.scale_init)),
            (ACTIVATION_SCALE, number(self.scale_activation)),
            (TARGET, number(self.scale_target)),
            (METRIC, self.scale_metric.clone()),
            (TARGET_UTILIZATION_PERCENTAGE, number(self.scale_utilization)),
            (WINDOW, self.scale_window.clone()),
        ];
        for (key, value) in wishes {
            let Some(value) = value else { continue };
            let annotations = template.metadata.annotations.get_or_insert_default();
            // The first spelling that is present counts, so an older one must not stay beside it.
            key.spellings().iter().for_each(|spelling| drop(annotations.remove(*spelling)));
            annotations.insert(key.name().to_owned(), value);
        }
        Ok(())
    }
}

/// `N`, `MIN..MAX`, `MIN..` or `..MAX`.
fn read_range(text: &str) -> Result<(Option<u32>, Option<u32>), String> {
    let wrong = || "Scale must be of the format x..y or x".to_owned();
    let number = |text: &str| match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wrong()),
    };
    match text.split_once("..") {
        Some((min, max)) => Ok((number(min)?, number(max)?)),
        None if text.is_empty() => Err(wrong()),
        None => number(text).map(|both| (both, both)),
    }
}
