//! PodAutoscaler and Metric.

use super::finish;
use crate::{
    admission::{
        KnativeErrors, Path, Rejection,
        dispatch::{Context, Rules},
    },
    annotations::{CLASS, CLASS_HPA, CLASS_KPA, METRIC, METRIC_CONCURRENCY, METRIC_CPU, Scaling},
    autoscaling::{Metric, PodAutoscaler},
};

impl Rules for PodAutoscaler {
    /// Class and metric are written down, so that a changed default leaves Revisions that exist as they are.
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let annotations = self.metadata.annotations.get_or_insert_default();
        if CLASS.find(annotations).is_none() {
            let class = context.configs.autoscaler.pod_autoscaler_class.clone();
            annotations.insert(CLASS.name().to_owned(), class);
        }
        if METRIC.find(annotations).is_none() {
            let metric = match annotations.get(CLASS.name()).map(String::as_str) {
                Some(CLASS_KPA) => METRIC_CONCURRENCY,
                Some(CLASS_HPA) => METRIC_CPU,
                _ => return,
            };
            annotations.insert(METRIC.name().to_owned(), metric.to_owned());
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        let meta = Path::root("metadata");
        if let Some(annotations) = &self.metadata.annotations {
            Scaling::check(annotations, &context.configs.autoscaler, meta.child("annotations"), &mut errors);
        }
        let spec = Path::root("spec");
        let target = spec.child("scaleTargetRef");
        let reference = &self.spec.scale_target_ref;
        for (field, value) in
            [("apiVersion", &reference.api_version), ("kind", &reference.kind), ("name", &reference.name)]
        {
            if value.as_deref().unwrap_or_default().is_empty() {
                errors.missing(target.child(field));
            }
        }
        let (concurrency, max) =
            (self.spec.container_concurrency, context.configs.defaults.container_concurrency_max_limit);
        if !(0..=max).contains(&concurrency) {
            errors.out_of_bounds(concurrency, 0, max, spec.child("containerConcurrency"));
        }
        match self.spec.protocol_type.as_str() {
            "http1" | "h2c" => {}
            "" => errors.missing(spec.child("protocolType")),
            other => errors.invalid(other, spec.child("protocolType")),
        }
        finish(&self.metadata, true, &errors)
    }
}

impl Rules for Metric {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        let spec = Path::root("spec");
        for (field, nanos) in
            [("stableWindow", self.spec.stable_window), ("panicWindow", self.spec.panic_window)]
        {
            if nanos < 0 {
                errors.invalid(nanos, spec.child(field));
            }
        }
        finish(&self.metadata, true, &errors)
    }
}
