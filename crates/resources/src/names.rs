//! What things are called: children of an object, hosts and URLs of a Route, and what a valid name is.

mod child;
mod children;
pub mod dns;
mod fnv;
mod hosts;
mod template;
#[cfg(test)]
mod tests;

pub use self::{
    child::child_name,
    children::{
        deployment, image_cache, ingress, metric, placeholder_service, pod_autoscaler, private_service,
        public_service, revision, serverless_service,
    },
    fnv::{fnv32, fnv64},
    hosts::{
        CLUSTER_DOMAIN, HostError, cluster_local_host, cluster_local_hosts, is_cluster_local,
        is_route_cluster_local, route_host, tag_name, url,
    },
    template::{Template, TemplateError, TemplateValues},
};
