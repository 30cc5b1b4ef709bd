//! Conditions, as v1's annotation has them.

use k8s_openapi::api::autoscaling::v2;
use serde::{Deserialize, Serialize};

use crate::meta::Time;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    last_transition_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Condition {
    pub(super) fn of_v2(condition: &v2::HorizontalPodAutoscalerCondition) -> Self {
        let v2::HorizontalPodAutoscalerCondition { last_transition_time, message, reason, status, type_ } =
            condition.clone();
        Self { type_, status, last_transition_time, reason, message }
    }

    pub(super) fn into_v2(self) -> v2::HorizontalPodAutoscalerCondition {
        let Self { type_, status, last_transition_time, reason, message } = self;
        v2::HorizontalPodAutoscalerCondition { last_transition_time, message, reason, status, type_ }
    }
}
