//! What was last read of the metrics, as v1's annotation has it (upstream: `k8s.io/api/autoscaling/v1`, MetricStatus).

use k8s_openapi::api::autoscaling::v2;
use serde::{Deserialize, Serialize};

use super::{CPU, RESOURCE, identifier, or_zero, reference::Reference};
use crate::meta::{LabelSelector, Quantity};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reading {
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
    current_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_value: Option<Quantity>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct OfPods {
    metric_name: String,
    current_average_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
}

/// Of pods, or of one container of each.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct OfResource {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_average_utilization: Option<i32>,
    current_average_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct External {
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_selector: Option<LabelSelector>,
    current_value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_average_value: Option<Quantity>,
}

/// The percentage of the CPU that v1 has a field for.
pub(super) fn cpu_percent(reading: &v2::MetricStatus) -> Option<i32> {
    let resource = reading.resource.as_ref().filter(|resource| resource.name == CPU)?;
    resource.current.average_utilization.filter(|_| reading.type_ == RESOURCE)
}

/// The reading that v1's field is.
pub(super) fn of_cpu(percent: i32) -> v2::MetricStatus {
    let current =
        v2::MetricValueStatus { average_utilization: Some(percent), ..v2::MetricValueStatus::default() };
    let resource = Some(v2::ResourceMetricStatus { name: CPU.into(), current });
    v2::MetricStatus { type_: RESOURCE.into(), resource, ..v2::MetricStatus::default() }
}

impl Reading {
    pub(super) fn of_v2(reading: &v2::MetricStatus) -> Self {
        let v2::MetricStatus { container_resource, external, object, pods, resource, type_ } =
            reading.clone();
        Self {
            type_,
            object: object.map(|read| OfObject {
                target: Reference::of_v2(&read.described_object),
                metric_name: read.metric.name,
                current_value: Some(or_zero(read.current.value)),
                selector: read.metric.selector,
                average_value: read.current.average_value,
            }),
            pods: pods.map(|read| OfPods {
                metric_name: read.metric.name,
                current_average_value: Some(or_zero(read.current.average_value)),
                selector: read.metric.selector,
            }),
            resource: resource.map(|read| OfResource::of_v2(read.name, read.current, None)),
            container_resource: container_resource
                .map(|read| OfResource::of_v2(read.name, read.current, Some(read.container))),
            external: external.map(|read| External {
                metric_name: read.metric.name,
                metric_selector: read.metric.selector,
                current_value: Some(or_zero(read.current.value)),
                current_average_value: read.current.average_value,
            }),
        }
    }

    /// What v1 cannot leave out is there in v2, too, be it zero: of a reading that may be so.
    pub(super) fn into_v2(self) -> v2::MetricStatus {
        let Self { type_, object, pods, resource, container_resource, external } = self;
        v2::MetricStatus {
            container_resource: container_resource.map(|read| v2::ContainerResourceMetricStatus {
                container: read.container.clone().unwrap_or_default(),
                name: read.name.clone(),
                current: read.current(),
            }),
            external: external.map(|read| v2::ExternalMetricStatus {
                current: current(Some(or_zero(read.current_value)), read.current_average_value),
                metric: identifier(read.metric_name, read.metric_selector),
            }),
            object: object.map(|read| v2::ObjectMetricStatus {
                current: current(Some(or_zero(read.current_value)), read.average_value),
                described_object: read.target.into_v2(),
                metric: identifier(read.metric_name, read.selector),
            }),
            pods: pods.map(|read| v2::PodsMetricStatus {
                current: current(None, Some(or_zero(read.current_average_value))),
                metric: identifier(read.metric_name, read.selector),
            }),
            resource: resource
                .map(|read| v2::ResourceMetricStatus { name: read.name.clone(), current: read.current() }),
            type_,
        }
    }
}

fn current(value: Option<Quantity>, average_value: Option<Quantity>) -> v2::MetricValueStatus {
    v2::MetricValueStatus { average_utilization: None, average_value, value }
}

impl OfResource {
    fn of_v2(name: String, current: v2::MetricValueStatus, container: Option<String>) -> Self {
        Self {
            name,
            current_average_utilization: current.average_utilization,
            current_average_value: Some(or_zero(current.average_value)),
            container,
        }
    }

    fn current(self) -> v2::MetricValueStatus {
        v2::MetricValueStatus {
            average_utilization: self.current_average_utilization,
            average_value: Some(or_zero(self.current_average_value)),
            value: None,
        }
    }
}
