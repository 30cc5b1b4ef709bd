//! Route: hosts, and how their requests are split between Revisions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TrafficTarget;
use crate::{
    condition::{Condition, ConditionSet},
    knative::knative_kind,
};

knative_kind! {
    /// Gives Revisions a host and splits its requests between them.
    Route("serving.knative.dev", "v1", "routes", NamespaceResourceScope) { spec: RouteSpec, status: RouteStatus }
}

/// A Route's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteSpec {
    /// The targets; percentages add up to 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<TrafficTarget>,
}

/// A Route's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`ROUTE_CONDITIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Where the Route answers from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it answers from inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Addressable>,
    /// The split in force, each revision named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<TrafficTarget>,
}

/// An address that events and requests can be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Addressable {
    /// Its name where there are several, `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// PEM of the authorities that signed its certificate.
    #[serde(rename = "CACerts", skip_serializing_if = "Option::is_none")]
    pub ca_certs: Option<String>,
    /// The audience of its OIDC tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// Every target names a Revision that can take requests.
pub const ALL_TRAFFIC_ASSIGNED: &str = "AllTrafficAssigned";
/// The gateways serve the route's hosts.
pub const INGRESS_READY: &str = "IngressReady";
/// The certificates that are wanted are there.
pub const CERTIFICATE_PROVISIONED: &str = "CertificateProvisioned";
/// The conditions of a Route.
pub const ROUTE_CONDITIONS: ConditionSet =
    ConditionSet { dependents: &[ALL_TRAFFIC_ASSIGNED, INGRESS_READY, CERTIFICATE_PROVISIONED] };
