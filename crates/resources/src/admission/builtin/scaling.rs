//! HorizontalPodAutoscaler, in both forms, and PodDisruptionBudget (upstream: `pkg/apis/autoscaling/v2/defaults.go`,
//! `pkg/apis/{autoscaling,policy}/validation`).

use k8s_openapi::api::autoscaling::v2::{
    HPAScalingPolicy, HPAScalingRules, MetricSpec, MetricTarget, ResourceMetricSource,
};

use super::check_not_negative;
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{HorizontalPodAutoscaler, PodDisruptionBudget, autoscaling_v1},
    hpa_forms,
    meta::IntOrString,
};

/// The share of what they asked for that pods should use (upstream: `DefaultCPUUtilization`).
const CPU_PERCENT: i32 = 80;

impl Rules for HorizontalPodAutoscaler {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        hpa_forms::drop_annotations(&mut self.metadata);
        complete_scaler(self);
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        check_scaler(self)
    }
}

impl Rules for autoscaling_v1::HorizontalPodAutoscaler {
    /// As what is stored is read, so that writing it back is no change. The annotations, too, say nothing of the status
    /// here.
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let mut scaler = hpa_forms::to_v2(self);
        scaler.status = context.old.and_then(|old| hpa_forms::to_v2(old).status);
        complete_scaler(&mut scaler);
        *self = hpa_forms::of_v2(&scaler);
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        check_scaler(&hpa_forms::to_v2(self))
    }
}

fn complete_scaler(scaler: &mut HorizontalPodAutoscaler) {
    let spec = scaler.spec.get_or_insert_default();
    spec.min_replicas.get_or_insert(1);
    if spec.metrics.as_ref().is_none_or(Vec::is_empty) {
        let target = MetricTarget {
            type_: "Utilization".into(),
            average_utilization: Some(CPU_PERCENT),
            ..MetricTarget::default()
        };
        let resource = Some(ResourceMetricSource { name: "cpu".into(), target });
        spec.metrics = Some(vec![MetricSpec { type_: "Resource".into(), resource, ..MetricSpec::default() }]);
    }
    let policy =
        |type_: &str, value: i32| HPAScalingPolicy { type_: type_.into(), value, period_seconds: 15 };
    if let Some(behavior) = &mut spec.behavior {
        let up = behavior.scale_up.get_or_insert_default();
        up.stabilization_window_seconds.get_or_insert(0);
        complete(up, || vec![policy("Pods", 4), policy("Percent", 100)]);
        complete(behavior.scale_down.get_or_insert_default(), || vec![policy("Percent", 100)]);
    }
}

fn check_scaler(scaler: &HorizontalPodAutoscaler) -> Result<(), Rejection> {
    let mut errors = metadata::validate(&scaler.metadata, NameRule::Subdomain, true);
    let Some(spec) = &scaler.spec else { return invalid(errors) };
    let path = Path::root("spec");
    if let Some(min @ ..=0) = spec.min_replicas {
        let why = "must be greater than or equal to 1";
        errors.push(FieldError::invalid(&path.child("minReplicas"), min, why));
    }
    let at_max = path.child("maxReplicas");
    if spec.max_replicas < 1 {
        errors.push(FieldError::invalid(&at_max, spec.max_replicas, "must be greater than 0"));
    }
    if spec.min_replicas.is_some_and(|min| spec.max_replicas < min) {
        let why = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid(&at_max, spec.max_replicas, why));
    }
    let target = path.child("scaleTargetRef");
    for (field, value) in [("kind", &spec.scale_target_ref.kind), ("name", &spec.scale_target_ref.name)] {
        if value.is_empty() {
            errors.push(FieldError::required(&target.child(field), ""));
        }
    }
    invalid(errors)
}

fn complete(rules: &mut HPAScalingRules, policies: impl Fn() -> Vec<HPAScalingPolicy>) {
    rules.select_policy.get_or_insert_with(|| "Max".into());
    rules.policies.get_or_insert_with(policies);
}

impl Rules for PodDisruptionBudget {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let Some(spec) = &self.spec else { return invalid(errors) };
        let path = Path::root("spec");
        if spec.min_available.is_some() && spec.max_unavailable.is_some() {
            let shown = serde_json::to_value(spec).unwrap_or_default();
            let why = "minAvailable and maxUnavailable cannot be both set";
            errors.push(FieldError::invalid(&path, shown, why));
        }
        let counts = [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)];
        for (field, count) in counts {
            if let Some(IntOrString::Int(count)) = count {
                check_not_negative(Some(i64::from(*count)), &path.child(field), &mut errors);
            }
        }
        invalid(errors)
    }
}
