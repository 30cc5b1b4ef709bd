//! What is scaled by, as v1's annotation has it (upstream: `k8s.io/api/autoscaling/v1`, MetricSpec).

use k8s_openapi::api::autoscaling::v2;
use serde::{Deserialize, Serialize};

use super::{CPU, RESOURCE, identifier, or_zero, reference::Reference, zero};
use crate::meta::{LabelSelector, Quantity};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metric {
    #[serde(rename = "type")]
    type_: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<OfObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<OfPods>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<OfResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_resource: Option<OfResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<External>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct OfObject {
    target: Reference,
    metric_name: String,
    target_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_value: Option<Quantity>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct OfPods {
    metric_name: String,
    target_average_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
}

/// Of pods, or of one container of each.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct OfResource {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_utilization: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct External {
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_selector: Option<LabelSelector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_average_value: Option<Quantity>,
}

/// The percentage of the CPU that v1 has a field for.
pub(super) fn cpu_percent(metric: &v2::MetricSpec) -> Option<i32> {
    let resource = metric.resource.as_ref().filter(|resource| resource.name == CPU)?;
    resource.target.average_utilization.filter(|_| metric.type_ == RESOURCE)
}

/// The metric that v1's field is.
pub(super) fn of_cpu(percent: i32) -> v2::MetricSpec {
    let target = of_pods(Some(percent), None);
    let resource = Some(v2::ResourceMetricSource { name: CPU.into(), target });
    v2::MetricSpec { type_: RESOURCE.into(), resource, ..v2::MetricSpec::default() }
}

/// A target of each pod; v1 does not say of which kind it is.
fn of_pods(percent: Option<i32>, amount: Option<Quantity>) -> v2::MetricTarget {
    v2::MetricTarget {
        type_: if percent.is_some() { "Utilization" } else { "AverageValue" }.into(),
        average_utilization: percent,
        average_value: amount,
        value: None,
    }
}

/// A target of all pods together, or an average of it.
fn of_all(is_average: bool, value: Option<Quantity>, average: Option<Quantity>) -> v2::MetricTarget {
    v2::MetricTarget {
        type_: if is_average { "AverageValue" } else { "Value" }.into(),
        average_utilization: None,
        average_value: average,
        value,
    }
}

impl Metric {
    pub(super) fn of_v2(metric: &v2::MetricSpec) -> Self {
        let v2::MetricSpec { container_resource, external, object, pods, resource, type_ } = metric.clone();
        Self {
            type_,
            object: object.map(|source| OfObject {
                target: Reference::of_v2(&source.described_object),
                metric_name: source.metric.name,
                target_value: Some(or_zero(source.target.value)),
                selector: source.metric.selector,
                average_value: source.target.average_value,
            }),
            pods: pods.map(|source| OfPods {
                metric_name: source.metric.name,
                target_average_value: Some(or_zero(source.target.average_value)),
                selector: source.metric.selector,
            }),
            resource: resource.map(|source| OfResource::of_v2(source.name, source.target, None)),
            container_resource: container_resource
                .map(|source| OfResource::of_v2(source.name, source.target, Some(source.container))),
            external: external.map(|source| External {
                metric_name: source.metric.name,
                metric_selector: source.metric.selector,
                target_value: source.target.value,
                target_average_value: source.target.average_value,
            }),
        }
    }

    pub(super) fn into_v2(self) -> v2::MetricSpec {
        let Self { type_, object, pods, resource, container_resource, external } = self;
        v2::MetricSpec {
            container_resource: container_resource.map(|source| v2::ContainerResourceMetricSource {
                name: source.name,
                target: of_pods(source.target_average_utilization, source.target_average_value),
                container: source.container.unwrap_or_default(),
            }),
            external: external.map(|source| v2::ExternalMetricSource {
                metric: identifier(source.metric_name, source.metric_selector),
                target: of_all(
                    source.target_value.is_none(),
                    source.target_value,
                    source.target_average_value,
                ),
            }),
            object: object.map(OfObject::into_v2),
            pods: pods.map(|source| v2::PodsMetricSource {
                metric: identifier(source.metric_name, source.selector),
                target: of_pods(None, Some(or_zero(source.target_average_value))),
            }),
            resource: resource.map(|source| v2::ResourceMetricSource {
                name: source.name,
                target: of_pods(source.target_average_utilization, source.target_average_value),
            }),
            type_,
        }
    }
}

impl OfObject {
    fn into_v2(self) -> v2::ObjectMetricSource {
        let (value, average) = (or_zero(self.target_value), self.average_value);
        // Of an average v1 writes both, and this one is zero.
        let value = Some(value).filter(|value| average.is_none() || *value != zero());
        v2::ObjectMetricSource {
            described_object: self.target.into_v2(),
            metric: identifier(self.metric_name, self.selector),
            target: of_all(average.is_some(), value, average),
        }
    }
}

impl OfResource {
    fn of_v2(name: String, target: v2::MetricTarget, container: Option<String>) -> Self {
        Self {
            name,
            target_average_utilization: target.average_utilization,
            target_average_value: target.average_value,
            container,
        }
    }
}
