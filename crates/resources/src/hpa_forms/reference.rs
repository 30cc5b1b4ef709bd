//! The object that a metric is of.

use k8s_openapi::api::autoscaling::v2;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference {
    kind: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
}

impl Reference {
    pub(super) fn of_v2(reference: &v2::CrossVersionObjectReference) -> Self {
        let v2::CrossVersionObjectReference { api_version, kind, name } = reference.clone();
        Self { kind, name, api_version: api_version.filter(|version| !version.is_empty()) }
    }

    pub(super) fn into_v2(self) -> v2::CrossVersionObjectReference {
        let Self { kind, name, api_version } = self;
        v2::CrossVersionObjectReference { api_version, kind, name }
    }
}
