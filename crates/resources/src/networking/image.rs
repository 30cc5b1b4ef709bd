//! Image: a wish that an image be kept at hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{builtin::LocalObjectReference, condition::Condition, knative::knative_kind};

knative_kind! {
    /// An image that a Revision will need.
    Image("caching.internal.knative.dev", "v1alpha1", "images", NamespaceResourceScope) { spec: ImageSpec, status: ImageStatus }
}

/// An Image's wish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageSpec {
    /// The reference.
    pub image: String,
    /// Whose pull secrets are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Pull secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
}

/// An Image's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
