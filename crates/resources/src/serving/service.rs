//! Service: a Configuration and a Route under one name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Addressable, RevisionTemplateSpec, TrafficTarget};
use crate::{
    condition::{Condition, ConditionSet},
    knative::knative_kind,
};

knative_kind! {
    /// What a user writes: a template for revisions and how requests are split between them.
    Service("serving.knative.dev", "v1", "services", NamespaceResourceScope) { spec: ServiceSpec, status: ServiceStatus }
}

/// A Service's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSpec {
    /// The next Revision.
    pub template: RevisionTemplateSpec,
    /// How requests are split; empty means all to the latest ready Revision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<TrafficTarget>,
}

/// A Service's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`SERVICE_CONDITIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The newest Revision made from the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_created_revision_name: Option<String>,
    /// The newest Revision that became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_ready_revision_name: Option<String>,
    /// Where the Service answers from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it answers from inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Addressable>,
    /// The split in force, each revision named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<TrafficTarget>,
}

/// The Configuration is ready.
pub const CONFIGURATIONS_READY: &str = "ConfigurationsReady";
/// The Route is ready.
pub const ROUTES_READY: &str = "RoutesReady";
/// The conditions of a Service.
pub const SERVICE_CONDITIONS: ConditionSet =
    ConditionSet { dependents: &[CONFIGURATIONS_READY, ROUTES_READY] };
