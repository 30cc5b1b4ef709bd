//! How fast is scaled, as v1's annotation has it: upstream writes a type there that has no names for JSON, so that Go's
//! names of the fields are the names; it reads them in either case.

use k8s_openapi::api::autoscaling::v2;
use serde::{Deserialize, Serialize};

use crate::meta::Quantity;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Behavior {
    #[serde(alias = "scaleUp")]
    scale_up: Option<Rules>,
    #[serde(alias = "scaleDown")]
    scale_down: Option<Rules>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Rules {
    #[serde(alias = "stabilizationWindowSeconds")]
    stabilization_window_seconds: Option<i32>,
    #[serde(alias = "selectPolicy")]
    select_policy: Option<String>,
    #[serde(alias = "policies")]
    policies: Option<Vec<Policy>>,
    #[serde(alias = "tolerance")]
    tolerance: Option<Quantity>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    #[serde(rename = "Type", alias = "type")]
    type_: String,
    #[serde(alias = "value")]
    value: i32,
    #[serde(alias = "periodSeconds")]
    period_seconds: i32,
}

impl Behavior {
    pub(super) fn of_v2(behavior: &v2::HorizontalPodAutoscalerBehavior) -> Self {
        let v2::HorizontalPodAutoscalerBehavior { scale_down, scale_up } = behavior.clone();
        Self { scale_up: scale_up.map(Rules::of_v2), scale_down: scale_down.map(Rules::of_v2) }
    }

    /// `None` where it says nothing.
    pub(super) fn into_v2(self) -> Option<v2::HorizontalPodAutoscalerBehavior> {
        let [scale_up, scale_down] = [self.scale_up, self.scale_down].map(|rules| rules.map(Rules::into_v2));
        let says = scale_up.is_some() || scale_down.is_some();
        says.then_some(v2::HorizontalPodAutoscalerBehavior { scale_down, scale_up })
    }
}

impl Rules {
    fn of_v2(rules: v2::HPAScalingRules) -> Self {
        let policy = |policy: v2::HPAScalingPolicy| Policy {
            type_: policy.type_,
            value: policy.value,
            period_seconds: policy.period_seconds,
        };
        Self {
            stabilization_window_seconds: rules.stabilization_window_seconds,
            select_policy: rules.select_policy,
            policies: rules.policies.map(|policies| policies.into_iter().map(policy).collect()),
            tolerance: rules.tolerance,
        }
    }

    fn into_v2(self) -> v2::HPAScalingRules {
        let policy = |policy: Policy| v2::HPAScalingPolicy {
            type_: policy.type_,
            value: policy.value,
            period_seconds: policy.period_seconds,
        };
        v2::HPAScalingRules {
            policies: self.policies.map(|policies| policies.into_iter().map(policy).collect()),
            select_policy: self.select_policy,
            stabilization_window_seconds: self.stabilization_window_seconds,
            tolerance: self.tolerance,
        }
    }
}
