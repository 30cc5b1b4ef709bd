//! The name of each child, by kind.

use super::{
    child::child_name,
    hosts::{HostError, tag_name},
};
use crate::config::Network;

/// The Revision that a Configuration's generation makes when the template has no name.
pub fn revision(configuration: &str, generation: i64) -> String {
    child_name(configuration, &format!("-{generation:05}"))
}

/// The Deployment of a Revision.
pub fn deployment(revision: &str) -> String {
    child_name(revision, "-deployment")
}

/// The Image of one of a Revision's containers.
pub fn image_cache(revision: &str, container: &str) -> String {
    child_name(revision, &format!("-cache-{container}"))
}

/// The PodAutoscaler of a Revision.
pub fn pod_autoscaler(revision: &str) -> String {
    revision.to_owned()
}

/// The ServerlessService of a PodAutoscaler.
pub fn serverless_service(pod_autoscaler: &str) -> String {
    pod_autoscaler.to_owned()
}

/// The Metric of a PodAutoscaler.
pub fn metric(pod_autoscaler: &str) -> String {
    pod_autoscaler.to_owned()
}

/// The Service of a Revision that callers use.
pub fn public_service(serverless_service: &str) -> String {
    serverless_service.to_owned()
}

/// The Service of a Revision that selects its pods.
pub fn private_service(serverless_service: &str) -> String {
    child_name(serverless_service, "-private")
}

/// The Ingress of a Route.
pub fn ingress(route: &str) -> String {
    route.to_owned()
}

/// The Service that stands for a Route, or for one of its tags, inside the cluster.
pub fn placeholder_service(route: &str, tag: &str, network: &Network) -> Result<String, HostError> {
    tag_name(route, tag, network)
}
