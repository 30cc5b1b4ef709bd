//! ServerlessService: whether a Revision's requests go to its instances or to the activator.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    builtin::ObjectReference,
    condition::{Condition, ConditionSet},
    knative::knative_kind,
};

knative_kind! {
    /// The two Services of a Revision and which endpoints the public one has.
    ServerlessService("networking.internal.knative.dev", "v1alpha1", "serverlessservices", NamespaceResourceScope) { spec: ServerlessServiceSpec, status: ServerlessServiceStatus }
}

/// Where the public Service leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServerlessServiceMode {
    /// To the instances.
    #[default]
    Serve,
    /// To the activator.
    Proxy,
}

/// A ServerlessService's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerlessServiceSpec {
    /// Where the public Service leads.
    pub mode: ServerlessServiceMode,
    /// The Deployment whose pods are meant.
    pub object_ref: ObjectReference,
    /// `http1` or `h2c`.
    pub protocol_type: String,
    /// How many activators stand in the path in `Proxy`; 0 is all of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_activators: i32,
}

/// A ServerlessService's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerlessServiceStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// See [`SERVERLESS_SERVICE_CONDITIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Free-form notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The public Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// The Service that selects the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_service_name: Option<String>,
}

/// The public Service leads somewhere.
pub const ENDPOINTS_POPULATED: &str = "EndpointsPopulated";
/// It leads to the activator. Does not count for `Ready`.
pub const ACTIVATOR_ENDPOINTS_POPULATED: &str = "ActivatorEndpointsPopulated";
/// The conditions of a ServerlessService.
pub const SERVERLESS_SERVICE_CONDITIONS: ConditionSet = ConditionSet { dependents: &[ENDPOINTS_POPULATED] };

fn is_zero(number: &i32) -> bool {
    *number == 0
}
