//! Ingress (KIngress): which host and path goes to which Revisions. Made by Routes, served by gateways.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    condition::{Condition, ConditionSet},
    knative::knative_kind,
    meta::IntOrString,
};

knative_kind! {
    /// The routing rules of one Route.
    Ingress("networking.internal.knative.dev", "v1alpha1", "ingresses", NamespaceResourceScope) { spec: IngressSpec, status: IngressStatus }
}

/// An Ingress' wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressSpec {
    /// `Enabled` or `Redirected`: what happens to plain HTTP where there is TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_option: Option<String>,
    /// The rules; the first that has the host counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<IngressRule>,
    /// The certificates of its hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls: Vec<IngressTls>,
}

/// The rules of some hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressRule {
    /// The hosts, without port.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// `ExternalIP` (also when empty) or `ClusterLocal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// The paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpIngressRuleValue>,
}

/// The paths of a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpIngressRuleValue {
    /// The longest prefix with the most header matches counts.
    pub paths: Vec<HttpIngressPath>,
}

/// One path and where its requests go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpIngressPath {
    /// A path prefix; none is all paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The Host to send on, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite_host: Option<String>,
    /// Headers a request must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderMatch>,
    /// Headers that requests get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub append_headers: BTreeMap<String, String>,
    /// Where the requests go; percentages add up to 100.
    pub splits: Vec<IngressSplit>,
}

/// What a header must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderMatch {
    /// The header's whole value.
    pub exact: String,
}

/// One backend and its share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressSplit {
    /// The Service's namespace; the Ingress' own.
    pub service_namespace: String,
    /// The Service, which a Revision's public one is.
    pub service_name: String,
    /// Its port.
    pub service_port: IntOrString,
    /// The share, 0 to 100; a single backend may leave it out.
    pub percent: i64,
    /// Headers that these requests get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub append_headers: BTreeMap<String, String>,
}

/// Certificates for hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressTls {
    /// The hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The Secret with `tls.crt` and `tls.key`.
    pub secret_name: String,
    /// The Secret's namespace.
    pub secret_namespace: String,
}

/// An Ingress' state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`INGRESS_CONDITIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Where requests from outside arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_load_balancer: Option<LoadBalancerStatus>,
    /// Where requests from inside arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_load_balancer: Option<LoadBalancerStatus>,
}

/// The entries of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerStatus {
    /// Any of them will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<LoadBalancerIngressStatus>,
}

/// One entry of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerIngressStatus {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Its DNS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its DNS name inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_internal: Option<String>,
    /// Whether only a mesh leads there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh_only: Option<bool>,
}

/// The rules have been taken.
pub const NETWORK_CONFIGURED: &str = "NetworkConfigured";
/// Every gateway serves them.
pub const LOAD_BALANCER_READY: &str = "LoadBalancerReady";
/// The conditions of an Ingress.
pub const INGRESS_CONDITIONS: ConditionSet =
    ConditionSet { dependents: &[NETWORK_CONFIGURED, LOAD_BALANCER_READY] };
