//! Revision: one unchanging version of an app.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Container, HostAlias, LocalObjectReference, PodDNSConfig, PodSecurityContext, PodSpec,
    Toleration, TopologySpreadConstraint, Volume,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    condition::{Condition, ConditionSet},
    knative::knative_kind,
    meta::ObjectMeta,
};

knative_kind! {
    /// One version of an app: its containers and how they may be called and scaled. Its spec never changes.
    Revision("serving.knative.dev", "v1", "revisions", NamespaceResourceScope) { spec: RevisionSpec, status: RevisionStatus }
}

/// The template a Revision is made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionTemplateSpec {
    /// Labels and annotations for the Revision, and its name if the user gives one.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: ObjectMeta,
    /// The Revision's spec.
    pub spec: RevisionSpec,
}

/// The part of a PodSpec that upstream's schema has, and Knative's own four numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "the fields are the Kubernetes PodSpec's own")]
pub struct RevisionSpec {
    /// Requests that one instance may have in hand at once; 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_concurrency: Option<i64>,
    /// Seconds a request may take in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    /// Seconds until the response must have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_start_timeout_seconds: Option<i64>,
    /// Seconds a response may be silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<i64>,
    pub containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_service_links: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount_service_account_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_aliases: Vec<HostAlias>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<PodSecurityContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_process_namespace: Option<bool>,
    #[serde(rename = "hostIPC", skip_serializing_if = "Option::is_none")]
    pub host_ipc: Option<bool>,
    #[serde(rename = "hostPID", skip_serializing_if = "Option::is_none")]
    pub host_pid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_config: Option<PodDNSConfig>,
}

impl RevisionSpec {
    /// The pod this spec describes, before Knative adds its own container.
    pub fn pod_spec(&self) -> PodSpec {
        fn some<T: Clone>(items: &[T]) -> Option<Vec<T>> {
            (!items.is_empty()).then(|| items.to_vec())
        }
        PodSpec {
            containers: self.containers.clone(),
            init_containers: some(&self.init_containers),
            volumes: some(&self.volumes),
            service_account_name: self.service_account_name.clone(),
            image_pull_secrets: some(&self.image_pull_secrets),
            enable_service_links: self.enable_service_links,
            automount_service_account_token: self.automount_service_account_token,
            affinity: self.affinity.clone(),
            node_selector: self.node_selector.clone(),
            tolerations: some(&self.tolerations),
            topology_spread_constraints: some(&self.topology_spread_constraints),
            host_aliases: some(&self.host_aliases),
            runtime_class_name: self.runtime_class_name.clone(),
            security_context: self.security_context.clone(),
            share_process_namespace: self.share_process_namespace,
            host_ipc: self.host_ipc,
            host_pid: self.host_pid,
            host_network: self.host_network,
            priority_class_name: self.priority_class_name.clone(),
            scheduler_name: self.scheduler_name.clone(),
            dns_policy: self.dns_policy.clone(),
            dns_config: self.dns_config.clone(),
            ..PodSpec::default()
        }
    }

    /// The container that takes the requests: the only one, or the one with a port.
    pub fn serving_container(&self) -> Option<&Container> {
        match self.containers.as_slice() {
            [only] => Some(only),
            several => several
                .iter()
                .find(|container| container.ports.as_ref().is_some_and(|ports| !ports.is_empty())),
        }
    }
}

/// A Revision's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`REVISION_CONDITIONS`]; `Active` stands beside them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Where the Revision's logs are, if the operator said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
    /// Which image each container really runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Likewise, of init containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Ready instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_replicas: Option<i32>,
    /// Wanted instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_replicas: Option<i32>,
}

/// The image of one container, by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// The container's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `repository@sha256:…`; empty when the registry is one whose tags are not resolved.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image_digest: String,
}

/// What the Revision needs is there.
pub const RESOURCES_AVAILABLE: &str = "ResourcesAvailable";
/// Its containers run.
pub const CONTAINER_HEALTHY: &str = "ContainerHealthy";
/// It has instances, or requests that wait for one. Does not count for `Ready`.
pub const ACTIVE: &str = "Active";
/// The conditions of a Revision.
pub const REVISION_CONDITIONS: ConditionSet =
    ConditionSet { dependents: &[RESOURCES_AVAILABLE, CONTAINER_HEALTHY] };

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
