//! The two forms of a HorizontalPodAutoscaler: that of `autoscaling/v2`, which is stored, and that of `autoscaling/v1`
//! (upstream: kubernetes, `pkg/apis/autoscaling/v1/conversion.go`). What v1 has no field for, it says in annotations, in
//! JSON.
//!
//! ```text
//!   v2                                  v1
//!   spec.metrics, CPU in percent ◄────► spec.targetCPUUtilizationPercentage
//!   spec.metrics, all others     ◄────► …/metrics
//!   spec.behavior                ◄────► …/behavior
//!   status.currentMetrics        ◄────► …/current-metrics
//!                                └────► status.currentCPUUtilizationPercentage
//!   status.conditions            ◄────► …/conditions
//! ```

mod behavior;
mod conditions;
mod metrics;
mod readings;
mod reference;

use k8s_openapi::api::autoscaling::{v1, v2};
use serde::{Serialize, de::DeserializeOwned};

use self::{behavior::Behavior, conditions::Condition, metrics::Metric, readings::Reading};
use crate::{
    kind::{read_strictly, strip_nulls},
    meta::{LabelSelector, ObjectMeta, Quantity},
};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// The annotations of v1 that are part of the spec.
pub(crate) const OF_SPEC: &[&str] = &[METRICS, BEHAVIOR];
/// Those that are part of the status.
const OF_STATUS: &[&str] = &[CURRENT_METRICS, CONDITIONS];

/// What v2 and v1 call differently. v1 has one field for the only metric that it knows.
pub(crate) const RENAMED: &[(&str, &str)] = &[("spec.metrics", "spec.targetCPUUtilizationPercentage")];

const RESOURCE: &str = "Resource";
const CPU: &str = "cpu";

/// Takes out the annotations in which v1 says what v2 has fields for.
pub(crate) fn drop_annotations(metadata: &mut ObjectMeta) {
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|name, _| !OF_SPEC.iter().chain(OF_STATUS).any(|known| known == name));
    }
    metadata.annotations = metadata.annotations.take().filter(|annotations| !annotations.is_empty());
}

/// An autoscaler as v1 has it.
pub(crate) fn of_v2(scaler: &v2::HorizontalPodAutoscaler) -> v1::HorizontalPodAutoscaler {
    let (spec, status) = (scaler.spec.as_ref(), scaler.status.as_ref());
    let mut metadata = scaler.metadata.clone();
    drop_annotations(&mut metadata);
    let all = spec.and_then(|spec| spec.metrics.as_deref()).unwrap_or_default();
    let others = all.iter().filter(|metric| metrics::cpu_percent(metric).is_none());
    say_all(&mut metadata, METRICS, others.map(Metric::of_v2).collect());
    let behavior = spec.and_then(|spec| spec.behavior.as_ref());
    if let Some(behavior) = behavior {
        say(&mut metadata, BEHAVIOR, &Behavior::of_v2(behavior));
    }
    let readings = status.and_then(|status| status.current_metrics.as_deref()).unwrap_or_default();
    say_all(&mut metadata, CURRENT_METRICS, readings.iter().map(Reading::of_v2).collect());
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    say_all(&mut metadata, CONDITIONS, conditions.iter().map(Condition::of_v2).collect());
    v1::HorizontalPodAutoscaler {
        metadata,
        spec: spec.map(spec_of_v2),
        // One that says nothing is there, too, since Go writes its numbers.
        status: Some(status.map(status_of_v2).unwrap_or_default()),
    }
}

fn spec_of_v2(spec: &v2::HorizontalPodAutoscalerSpec) -> v1::HorizontalPodAutoscalerSpec {
    let target = spec.scale_target_ref.clone();
    v1::HorizontalPodAutoscalerSpec {
        max_replicas: spec.max_replicas,
        min_replicas: spec.min_replicas,
        scale_target_ref: v1::CrossVersionObjectReference {
            api_version: target.api_version,
            kind: target.kind,
            name: target.name,
        },
        target_cpu_utilization_percentage: spec.metrics.iter().flatten().find_map(metrics::cpu_percent),
    }
}

fn status_of_v2(status: &v2::HorizontalPodAutoscalerStatus) -> v1::HorizontalPodAutoscalerStatus {
    let readings = status.current_metrics.as_deref().unwrap_or_default();
    v1::HorizontalPodAutoscalerStatus {
        current_cpu_utilization_percentage: readings.iter().rev().find_map(readings::cpu_percent),
        current_replicas: status.current_replicas.unwrap_or_default(),
        desired_replicas: status.desired_replicas,
        last_scale_time: status.last_scale_time.clone(),
        observed_generation: status.observed_generation,
    }
}

/// An autoscaler as v2 has it.
pub(crate) fn to_v2(scaler: &v1::HorizontalPodAutoscaler) -> v2::HorizontalPodAutoscaler {
    let mut metadata = scaler.metadata.clone();
    drop_annotations(&mut metadata);
    v2::HorizontalPodAutoscaler {
        metadata,
        spec: Some(spec_to_v2(scaler.spec.clone().unwrap_or_default(), &scaler.metadata)),
        status: Some(status_to_v2(scaler.status.clone().unwrap_or_default(), &scaler.metadata))
            .filter(|status| *status != v2::HorizontalPodAutoscalerStatus::default()),
    }
}

fn spec_to_v2(
    spec: v1::HorizontalPodAutoscalerSpec,
    metadata: &ObjectMeta,
) -> v2::HorizontalPodAutoscalerSpec {
    let others: Vec<Metric> = said(metadata, METRICS).unwrap_or_default();
    let mut metrics: Vec<_> = others.into_iter().map(Metric::into_v2).collect();
    metrics.extend(spec.target_cpu_utilization_percentage.map(metrics::of_cpu));
    v2::HorizontalPodAutoscalerSpec {
        behavior: said(metadata, BEHAVIOR).and_then(Behavior::into_v2),
        max_replicas: spec.max_replicas,
        metrics: Some(metrics).filter(|metrics| !metrics.is_empty()),
        min_replicas: spec.min_replicas,
        scale_target_ref: v2::CrossVersionObjectReference {
            api_version: spec.scale_target_ref.api_version,
            kind: spec.scale_target_ref.kind,
            name: spec.scale_target_ref.name,
        },
    }
}

fn status_to_v2(
    status: v1::HorizontalPodAutoscalerStatus,
    metadata: &ObjectMeta,
) -> v2::HorizontalPodAutoscalerStatus {
    let readings: Option<Vec<Reading>> = said(metadata, CURRENT_METRICS);
    let readings: Vec<_> = match readings {
        // They say more than the field does.
        Some(readings) => readings.into_iter().map(Reading::into_v2).collect(),
        None => status.current_cpu_utilization_percentage.map(readings::of_cpu).into_iter().collect(),
    };
    let conditions: Vec<Condition> = said(metadata, CONDITIONS).unwrap_or_default();
    let conditions: Vec<_> = conditions.into_iter().map(Condition::into_v2).collect();
    v2::HorizontalPodAutoscalerStatus {
        conditions: Some(conditions).filter(|conditions| !conditions.is_empty()),
        current_metrics: Some(readings).filter(|readings| !readings.is_empty()),
        current_replicas: Some(status.current_replicas).filter(|replicas| *replicas != 0),
        desired_replicas: status.desired_replicas,
        last_scale_time: status.last_scale_time,
        observed_generation: status.observed_generation,
    }
}

fn say<T: Serialize>(metadata: &mut ObjectMeta, name: &str, what: &T) {
    let json = serde_json::to_string(what).expect("texts and numbers can be written");
    metadata.annotations.get_or_insert_default().insert(name.to_owned(), json);
}

fn say_all<T: Serialize>(metadata: &mut ObjectMeta, name: &str, all: Vec<T>) {
    if !all.is_empty() {
        say(metadata, name, &all);
    }
}

/// What an annotation says; nothing where it makes no sense, which is upstream's answer, too. It is read as a body is: what
/// comes of it is stored.
fn said<T: DeserializeOwned>(metadata: &ObjectMeta, name: &str) -> Option<T> {
    let mut value = serde_json::from_str(metadata.annotations.as_ref()?.get(name)?).ok()?;
    strip_nulls(&mut value);
    read_strictly(name, value).ok().map(|(said, _)| said)
}

fn zero() -> Quantity {
    Quantity("0".to_owned())
}

/// What is written of an amount in v1 where it cannot be left out.
fn or_zero(amount: Option<Quantity>) -> Quantity {
    amount.unwrap_or_else(zero)
}

fn identifier(name: String, selector: Option<LabelSelector>) -> v2::MetricIdentifier {
    v2::MetricIdentifier { name, selector }
}

#[cfg(test)]
mod tests;
