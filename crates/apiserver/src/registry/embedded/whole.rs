//! Kinds that the embedded home takes for Knative's own parts alone, or does nothing with.

use std::any::Any;

use objects::Cause;
use resources::{
    DynObject,
    builtin::{
        HorizontalPodAutoscaler, Job, MutatingWebhookConfiguration, PodDisruptionBudget, StatefulSet,
        ValidatingWebhookConfiguration, autoscaling_v1,
    },
    custom::{CustomObject, CustomResourceDefinition, is_built_in},
};

/// Why an object is not taken, whatever it says; `None` for one that may be.
pub(super) fn refusal(object: &dyn DynObject) -> Option<Cause> {
    let any: &dyn Any = object;
    let (field, why) = if any.is::<Job>() {
        ("spec", "Jobs are not run by this version of Ebb; run a Pod with `restartPolicy: Never`")
    } else if any.is::<StatefulSet>() {
        ("spec", "StatefulSets are not run by this version of Ebb; use a Deployment")
    } else if any.is::<MutatingWebhookConfiguration>() || any.is::<ValidatingWebhookConfiguration>() {
        (
            "webhooks",
            "admission webhooks of users are not called by this version of Ebb; Knative's own defaults and rules are built in",
        )
    } else {
        return None;
    };
    let message = format!("Forbidden: {why}");
    Some(Cause { field: field.into(), reason: "FieldValueForbidden".into(), message })
}

/// What an object of a kind does not do, whatever it says; `None` for one that does something.
pub(super) fn warning(object: &dyn DynObject) -> Option<String> {
    let any: &dyn Any = object;
    if any.is::<HorizontalPodAutoscaler>() || any.is::<autoscaling_v1::HorizontalPodAutoscaler>() {
        return Some(
            "spec: this version of Ebb scales nothing by HorizontalPodAutoscalers; Knative Services scale by themselves, \
             and `kubectl scale` a Deployment"
                .into(),
        );
    }
    if any.is::<PodDisruptionBudget>() {
        return Some(
            "spec: nothing evicts pods here, so that a PodDisruptionBudget has nothing to keep".into(),
        );
    }
    if let Some(crd) = any.downcast_ref::<CustomResourceDefinition>() {
        let acts = is_built_in(crd) || !is_knatives(&crd.spec.group);
        return (!acts).then(|| unserved(&crd.spec.names.kind));
    }
    let custom = any.downcast_ref::<CustomObject>()?;
    is_knatives(custom.kind().group).then(|| unserved(custom.kind().kind))
}

fn is_knatives(group: &str) -> bool {
    group == "knative.dev" || group.ends_with(".knative.dev")
}

fn unserved(kind: &str) -> String {
    format!("this version of Ebb keeps {kind} objects and does nothing with them: none becomes ready")
}
