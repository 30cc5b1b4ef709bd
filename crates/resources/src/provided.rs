//! What Ebb itself is: parts of Knative that its release manifests bring and that Ebb does without them. They are kept
//! and served back, so that the manifests can be applied as on a cluster, and are neither run nor called.

use std::any::Any;

use k8s_openapi::api::admissionregistration::v1::WebhookClientConfig;

use crate::{
    builtin::{
        Deployment, HorizontalPodAutoscaler, Job, MutatingWebhookConfiguration, PodDisruptionBudget,
        StatefulSet, ValidatingWebhookConfiguration, autoscaling_v1,
    },
    meta::ObjectMeta,
    object::DynObject,
};

/// The annotation that marks it.
pub const PROVIDED: &str = "ebb.internal/provided";

/// The namespaces of Knative's own parts.
const NAMESPACES: [&str; 3] = ["knative-serving", "knative-eventing", "kourier-system"];
/// The label by which they are told from what else may be there, and its values.
const NAME: &str = "app.kubernetes.io/name";
const NAMES: [&str; 2] = ["knative-serving", "knative-eventing"];
/// Likewise in older releases.
const RELEASES: [&str; 4] = [
    "serving.knative.dev/release",
    "eventing.knative.dev/release",
    "knative.dev/release",
    "networking.knative.dev/ingress-provider",
];

/// Whether an object is such a part, by its kind, its namespace and its labels.
pub fn is_provided(object: &dyn DynObject) -> bool {
    let any: &dyn Any = object;
    if let Some(configuration) = any.downcast_ref::<MutatingWebhookConfiguration>() {
        return all_own(configuration.webhooks.iter().flatten().map(|webhook| &webhook.client_config));
    }
    if let Some(configuration) = any.downcast_ref::<ValidatingWebhookConfiguration>() {
        return all_own(configuration.webhooks.iter().flatten().map(|webhook| &webhook.client_config));
    }
    let runs = any.is::<Deployment>()
        || any.is::<StatefulSet>()
        || any.is::<HorizontalPodAutoscaler>()
        || any.is::<autoscaling_v1::HorizontalPodAutoscaler>()
        || any.is::<PodDisruptionBudget>()
        || any.is::<Job>();
    runs && is_of_release(object.metadata())
}

/// Whether an object was marked when it was written.
pub fn is_marked(metadata: &ObjectMeta) -> bool {
    metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(PROVIDED))
}

fn is_of_release(metadata: &ObjectMeta) -> bool {
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let labels = metadata.labels.as_ref();
    let label = |key: &str| labels.and_then(|labels| labels.get(key));
    NAMESPACES.contains(&namespace)
        && (label(NAME).is_some_and(|name| NAMES.contains(&name.as_str()))
            || RELEASES.iter().any(|release| label(release).is_some()))
}

/// Whether there are webhooks, and none leads to anybody else.
fn all_own<'a>(mut webhooks: impl Iterator<Item = &'a WebhookClientConfig>) -> bool {
    let own = |config: &WebhookClientConfig| {
        config.service.as_ref().is_some_and(|service| NAMESPACES.contains(&service.namespace.as_str()))
    };
    let Some(first) = webhooks.next() else { return false };
    own(first) && webhooks.all(own)
}

#[cfg(test)]
mod tests;
