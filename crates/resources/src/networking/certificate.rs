//! Certificate and ClusterDomainClaim.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{condition::Condition, knative::knative_kind, meta::Time};

knative_kind! {
    /// A wish for a TLS certificate, kept in a Secret.
    Certificate("networking.internal.knative.dev", "v1alpha1", "certificates", NamespaceResourceScope) { spec: CertificateSpec, status: CertificateStatus }
}

/// A Certificate's wish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificateSpec {
    /// The names it is for.
    pub dns_names: Vec<String>,
    /// The domain that the names belong to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The Secret it is kept in.
    pub secret_name: String,
}

/// A Certificate's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificateStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

knative_kind! {
    /// Gives a domain to one namespace; its name is the domain.
    ClusterDomainClaim("networking.internal.knative.dev", "v1alpha1", "clusterdomainclaims", ClusterResourceScope) { spec: ClusterDomainClaimSpec, status: ClusterDomainClaimStatus }
}

/// A ClusterDomainClaim's wish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterDomainClaimSpec {
    /// The namespace that may use the domain.
    pub namespace: String,
}

/// A ClusterDomainClaim has no state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterDomainClaimStatus {}
