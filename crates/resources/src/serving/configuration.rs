//! Configuration: the stream of Revisions made from one template.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RevisionTemplateSpec;
use crate::{
    condition::{Condition, ConditionSet},
    knative::knative_kind,
};

knative_kind! {
    /// Makes a new Revision each time its template changes.
    Configuration("serving.knative.dev", "v1", "configurations", NamespaceResourceScope) { spec: ConfigurationSpec, status: ConfigurationStatus }
}

/// A Configuration's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigurationSpec {
    /// The next Revision.
    pub template: RevisionTemplateSpec,
}

/// A Configuration's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigurationStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The newest Revision that became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_ready_revision_name: Option<String>,
    /// The newest Revision made from the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_created_revision_name: Option<String>,
}

/// The conditions of a Configuration.
pub const CONFIGURATION_CONDITIONS: ConditionSet = ConditionSet { dependents: &[] };
