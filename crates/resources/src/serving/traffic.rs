//! Where a route's requests go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One target of a Route. In a status every revision is named; in a spec `latestRevision` may stand in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficTarget {
    /// A name of its own for this target, which gets a host of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The Revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_name: Option<String>,
    /// The Configuration whose latest ready Revision is meant; never in a Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_name: Option<String>,
    /// Whether the latest ready Revision is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_revision: Option<bool>,
    /// The share of requests, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<i64>,
    /// Where a tagged target answers; only in a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
