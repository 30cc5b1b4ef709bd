//! `autoscaling.internal.knative.dev/v1alpha1`: PodAutoscaler and Metric.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    builtin::ObjectReference,
    condition::{Condition, ConditionSet},
    knative::knative_kind,
};

knative_kind! {
    /// How many instances a Revision should have.
    PodAutoscaler("autoscaling.internal.knative.dev", "v1alpha1", "podautoscalers", NamespaceResourceScope) { spec: PodAutoscalerSpec, status: PodAutoscalerStatus }
}

/// Whether requests can reach a Revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Reachability {
    /// Not known yet.
    #[default]
    #[serde(rename = "")]
    Unknown,
    /// A Route leads there.
    Reachable,
    /// No Route leads there.
    Unreachable,
}

/// A PodAutoscaler's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodAutoscalerSpec {
    /// The Deployment that is scaled.
    pub scale_target_ref: ObjectReference,
    /// Requests that one instance may have in hand at once; 0 is no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub container_concurrency: i64,
    /// `http1` or `h2c`.
    pub protocol_type: String,
    /// Whether requests can reach it.
    #[serde(skip_serializing_if = "is_default")]
    pub reachability: Reachability,
}

/// A PodAutoscaler's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodAutoscalerStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`POD_AUTOSCALER_CONDITIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The public Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// The Service whose pods are asked for their numbers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub metrics_service_name: String,
    /// Wanted instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_scale: Option<i32>,
    /// Ready instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_scale: Option<i32>,
}

/// There are as many ready instances as there must be.
pub const ACTIVE: &str = "Active";
/// The initial scale was reached once.
pub const SCALE_TARGET_INITIALIZED: &str = "ScaleTargetInitialized";
/// The ServerlessService is ready.
pub const SKS_READY: &str = "SKSReady";
/// The conditions of a PodAutoscaler.
pub const POD_AUTOSCALER_CONDITIONS: ConditionSet =
    ConditionSet { dependents: &[ACTIVE, SCALE_TARGET_INITIALIZED, SKS_READY] };

knative_kind! {
    /// What is measured for a Revision, and over which windows.
    Metric("autoscaling.internal.knative.dev", "v1alpha1", "metrics", NamespaceResourceScope) { spec: MetricSpec, status: MetricStatus }
}

/// A Metric's wish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricSpec {
    /// Nanoseconds.
    pub stable_window: i64,
    /// Nanoseconds.
    pub panic_window: i64,
    /// The Service whose pods are asked; may be empty.
    pub scrape_target: String,
}

/// A Metric's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
